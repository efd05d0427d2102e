//! The golden frames of the kits are read, and written byte for byte.

use crate::codec::{self, Tables};
use crate::frame::{column, Frame, Type, Writer};
use crate::guest::{Guest, Methods};
use crate::model;
use crate::*;

fn golden(name: &str) -> Vec<u8> {
    let path = format!("{}/../sdktest/testdata/frames/{}.hex", env!("CARGO_MANIFEST_DIR"), name);
    let text = std::fs::read_to_string(&path).expect(&path);
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

const NAMES: [&str; 12] = [
    "documents",
    "dialogues",
    "samples",
    "ratings",
    "verdicts",
    "judgements",
    "loglik",
    "loglik-answer",
    "texts",
    "embed",
    "vectors",
    "open",
];

const MANIFEST: &str = r#"{"scores": [{"name": "a"}, {"name": "b"}], "reasons": ["short", "rude"]}"#;

const TURNS: [Turn; 2] = [Turn { role: Role::User, text: "头痛？" }, Turn { role: Role::Assistant, text: "Rest." }];

/// Copies a column of a frame into one that is being written.
fn copy(w: &mut Writer, f: &Frame, c: &frame::Column) {
    fn values<const N: usize>(w: &mut Writer, c: &frame::Column) {
        w.fixed(c.id, c.kind, (0..c.rows).map(|i| c.value::<N>(i)));
    }
    match c.kind {
        Type::U8 => values::<1>(w, c),
        Type::U16 => values::<2>(w, c),
        Type::U32 | Type::F32 => values::<4>(w, c),
        Type::I64 | Type::F64 => values::<8>(w, c),
        Type::Bytes => w.texts(c.id, f.texts(c.id, c.rows).collect::<Vec<_>>().into_iter()),
        Type::List => {
            w.lists(c.id, (0..c.rows).map(|i| c.offset(i + 1) - c.offset(i)));
        }
    }
    if let Some(valid) = c.valid {
        w.valid((0..c.rows).map(|i| valid[i / 8] >> (i % 8) & 1 == 1));
    }
}

#[test]
fn every_frame_is_written_again_from_its_columns() {
    for name in NAMES {
        let data = golden(name);
        let f = Frame::parse(&data).expect(name);
        let mut w = Writer::default();
        w.begin(f.kind, f.rows, f.columns.len(), f.batch);
        for c in &f.columns {
            copy(&mut w, &f, c);
        }
        assert_eq!(w.finish().unwrap(), data, "{}", name);
    }
}

#[test]
fn records_are_read() {
    let data = golden("documents");
    let first = Document { id: "1", text: "héllo", language: "fr", source: "s", meta: "{}" };
    let docs = codec::documents(&Frame::parse(&data).unwrap());
    assert_eq!(docs, [first, Document { id: "2", ..Document::default() }]);

    let data = golden("dialogues");
    let f = Frame::parse(&data).unwrap();
    let turns = codec::turns(&f, column::TURNS, column::TURN_ROLE).unwrap();
    let first = Dialogue { id: "1", turns: &TURNS, language: "zh", source: "" };
    assert_eq!(codec::dialogues(&f, &turns), [first, Dialogue { id: "2", ..Dialogue::default() }]);

    let data = golden("samples");
    let f = Frame::parse(&data).unwrap();
    let history = codec::turns(&f, column::HISTORY, column::HISTORY_ROLE).unwrap();
    let sample = Sample { id: "1", history: &TURNS[..1], response: "Rest.", reference: "rest" };
    assert_eq!(codec::samples(&f, &history), [sample]);
}

#[test]
fn answers_are_written() {
    let (mut w, tables) = (Writer::default(), Tables::of(MANIFEST).unwrap());
    let mut fine = Rating::new().score("a", 0.5);
    fine.detail = "fine".into();
    let ratings = [fine, Rating::abstain(""), Rating::fault("broken")];
    assert_eq!(codec::ratings(&mut w, &tables, 1, &ratings).unwrap(), golden("ratings"));

    let edits = vec![Edit::Replace { turn: 1, text: "Sleep.".into() }, Edit::Delete { turn: 0 }];
    let verdicts = [
        Verdict { score: 0.25, ..Verdict::keep() },
        Verdict { score: -1.0, reasons: vec!["rude", "short"], ..Verdict::drop("") },
        Verdict::edit(edits),
        Verdict::later(),
    ];
    assert_eq!(codec::verdicts(&mut w, &tables, 2, &verdicts).unwrap(), golden("verdicts"));

    let judgements = [Judgement::new(1.5).part("a", 1.0)];
    assert_eq!(codec::judgements(&mut w, &tables, 3, &judgements).unwrap(), golden("judgements"));
}

#[test]
fn names_that_are_not_declared_are_refused() {
    let (mut w, tables) = (Writer::default(), Tables::of(MANIFEST).unwrap());
    let why = codec::ratings(&mut w, &tables, 1, &[Rating::new().score("c", 1.0)]).unwrap_err();
    assert_eq!(why.to_string(), "score \"c\" is not declared in the manifest");
    let why = codec::verdicts(&mut w, &tables, 1, &[Verdict::drop("dull")]).unwrap_err();
    assert_eq!(why.to_string(), "reason \"dull\" is not declared in the manifest");
}

#[test]
fn models_are_asked_and_their_answers_read() {
    let mut w = Writer::default();
    let requests = [
        LogLikRequest { context: &TURNS, context2: Some(&TURNS[..1]), continuation: "c" },
        LogLikRequest { context: &TURNS[..1], context2: None, continuation: "d" },
    ];
    assert_eq!(model::put_loglik(&mut w, &requests).unwrap(), golden("loglik"));
    assert_eq!(model::put_texts(&mut w, &[&TURNS]).unwrap(), golden("texts"));
    assert_eq!(model::put_embed(&mut w, &["a", "文"]).unwrap(), golden("embed"));

    let data = golden("loglik-answer");
    let answers = model::logliks(&Frame::parse(&data).unwrap()).unwrap();
    assert_eq!(answers, [LogLik { log_prob: -1.5, log_prob2: -2.25, tokens: 3 }]);
    let data = golden("vectors");
    assert_eq!(model::vectors(&Frame::parse(&data).unwrap()).unwrap(), [vec![1.0, 0.5], vec![]]);
}

#[test]
fn an_opening_is_read() {
    let data = golden("open");
    let env = Env::read(&Frame::parse(&data).unwrap()).unwrap();
    assert_eq!((env.config().number("low").unwrap(), env.seed()), (0.5, 7));
    let info = ModelInfo { name: "boost".into(), max_tokens: 512, outputs: 1, hidden: 64 };
    assert_eq!(env.model("lm").unwrap().info, info);
    assert_eq!(env.model("other").unwrap_err().to_string(), "model \"other\" is not granted");
}

struct Short;

impl Plugin for Short {
    fn open(_: &Env) -> Result<Self> {
        Ok(Short)
    }
}

impl Scorer for Short {
    fn score(&mut self, _: &[Document]) -> Result<Vec<Rating>> {
        Ok(vec![Rating::new()])
    }
}

impl Filter for Short {
    fn filter(&mut self, dialogues: &[Dialogue]) -> Result<Vec<Verdict>> {
        Err(format!("{} dialogues are too many", dialogues.len()).into())
    }
}

#[test]
fn calls_that_fail_say_why() {
    let methods = Methods::<Short>::none().Scorer().Filter();
    let mut guest = Guest::open(MANIFEST, methods, &golden("open")).unwrap();
    let mut fails = |kind, name: &str, why: &str| {
        assert_eq!(guest.run(kind, &golden(name)).unwrap_err().to_string(), why);
    };
    fails(1, "documents", "1 answers to 2 records");
    fails(2, "dialogues", "2 dialogues are too many");
    fails(3, "samples", "the plugin is no reward");
    fails(9, "samples", "unknown kind of request 0x9");
    assert_eq!(guest.run(1, b"DPF1").unwrap_err().to_string(), "not a frame of dp1");
    assert!(guest.flush(1).is_err());
    assert_eq!(Frame::parse(guest.flush(2).unwrap()).unwrap().rows, 0);
}

/// A frame in which any bit is wrong is refused or read; it never makes the reader panic. (Texts are left alone,
/// which the host promises to be UTF-8.)
#[test]
fn damaged_frames_are_refused_or_read() {
    for name in NAMES {
        let data = golden(name);
        let directory = 32 + 24 * Frame::parse(&data).unwrap().columns.len();
        for i in 0..directory {
            for bit in 0..8 {
                let mut damaged = data.clone();
                damaged[i] ^= 1 << bit;
                if let Ok(f) = Frame::parse(&damaged) {
                    let _ = (model::logliks(&f), model::vectors(&f));
                }
            }
        }
    }
}
