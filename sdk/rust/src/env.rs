use crate::frame::{column, Frame, Kind, Type};
use crate::{Json, Model, ModelInfo, Result};

/// What the host gives an instance when it opens it.
#[derive(Clone, Debug)]
pub struct Env {
    config: Json,
    seed: u64,
    models: Vec<(String, Model)>,
}

impl Env {
    /// An environment for tests: a configuration (a JSON object), no models.
    pub fn new(config: &str) -> Result<Env> {
        Ok(Env { config: Json::parse(config)?, seed: 0, models: Vec::new() })
    }

    /// The recipe's `with`, checked against the manifest, with its defaults filled in.
    pub fn config(&self) -> &Json {
        &self.config
    }

    /// The seed of the run, equal in all instances.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The model that the recipe binds to a name for which the manifest requests `model:NAME`.
    pub fn model(&self, name: &str) -> Result<Model> {
        match self.models.iter().find(|(granted, _)| granted == name) {
            Some((_, model)) => Ok(model.clone()),
            None => Err(format!("model \"{}\" is not granted", name).into()),
        }
    }

    /// Reads the frame that opens an instance.
    pub(crate) fn read(f: &Frame) -> Result<Env> {
        if f.kind != Kind::OPEN || f.rows != 1 {
            return Err("the frame does not open an instance".into());
        }
        f.need(column::CONFIG, Type::Bytes, 1)?;
        let config = f.texts(column::CONFIG, 1).next().unwrap_or_default();
        let seed = u64::from_le_bytes(f.need(column::SEED, Type::I64, 1)?.value(0));
        Ok(Env { seed, models: models(f), ..Env::new(config)? })
    }
}

fn models(f: &Frame) -> Vec<(String, Model)> {
    let n = f.find(column::MODELS, Type::List, 1).map_or(0, |list| list.children);
    let (mut tokens, mut outputs) = (f.numbers(column::MODEL_TOKENS, n), f.numbers(column::MODEL_OUTPUTS, n));
    let mut hidden = f.numbers(column::MODEL_HIDDEN, n);
    let names = f.texts(column::MODEL_NAME, n).zip(f.texts(column::MODEL_INFO, n));
    let mut model = |(place, (granted, name)): (usize, (&str, &str))| {
        let (max_tokens, outputs, hidden) = (tokens.next()?, outputs.next()?, hidden.next()?);
        let info = ModelInfo { name: name.to_string(), max_tokens, outputs, hidden };
        Some((granted.to_string(), Model { place: place as i32, info }))
    };
    names.enumerate().filter_map(&mut model).collect()
}
