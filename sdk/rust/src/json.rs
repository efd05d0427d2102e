use crate::{Error, Result};

/// A JSON value, read strictly. The keys of an object are in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// How deep JSON may be nested.
const DEPTH: usize = 64;

impl Json {
    /// Reads a text that is one value.
    pub fn parse(text: &str) -> Result<Json> {
        let mut p = Parser { text, at: 0 };
        let value = p.value(0)?;
        p.space();
        if p.at < text.len() {
            return p.wrong("the end");
        }
        Ok(value)
    }

    /// The value of a key of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The number of a key; an error that names the key when there is none.
    pub fn number(&self, key: &str) -> Result<f64> {
        match self.get(key) {
            Some(Json::Number(v)) => Ok(*v),
            _ => Err(format!("{} is not a number", key).into()),
        }
    }

    /// The text of a key, likewise.
    pub fn text(&self, key: &str) -> Result<&str> {
        match self.get(key) {
            Some(Json::Text(v)) => Ok(v),
            _ => Err(format!("{} is not a string", key).into()),
        }
    }

    /// The truth value of a key, likewise.
    pub fn bool(&self, key: &str) -> Result<bool> {
        match self.get(key) {
            Some(Json::Bool(v)) => Ok(*v),
            _ => Err(format!("{} is not true or false", key).into()),
        }
    }

    /// The elements of a key's array, likewise.
    pub fn array(&self, key: &str) -> Result<&[Json]> {
        match self.get(key) {
            Some(Json::Array(v)) => Ok(v),
            _ => Err(format!("{} is not an array", key).into()),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn wrong<T>(&self, want: &str) -> Result<T> {
        Err(Error::from(format!("JSON: byte {} is not {}", self.at, want)))
    }

    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, byte: u8) -> bool {
        let is = self.peek() == byte && self.at < self.text.len();
        self.at += is as usize;
        is
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json> {
        if depth > DEPTH {
            return self.wrong("nested so deep");
        }
        self.space();
        match self.peek() {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Json::Text(self.string()?)),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json> {
        if !self.text[self.at..].starts_with(word) {
            return self.wrong("a value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        let mut members = Vec::new();
        self.list(b'}', |p| {
            p.space();
            let key = p.string()?;
            p.space();
            if !p.take(b':') {
                return p.wrong("a colon");
            }
            members.push((key, p.value(depth + 1)?));
            Ok(())
        })?;
        Ok(Json::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Json> {
        let mut elements = Vec::new();
        self.list(b']', |p| {
            elements.push(p.value(depth + 1)?);
            Ok(())
        })?;
        Ok(Json::Array(elements))
    }

    /// Reads elements between commas, from the opening bracket on.
    fn list(&mut self, close: u8, mut element: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.at += 1;
        self.space();
        if self.take(close) {
            return Ok(());
        }
        loop {
            element(self)?;
            self.space();
            if self.take(close) {
                return Ok(());
            }
            if !self.take(b',') {
                return self.wrong("a comma");
            }
        }
    }

    fn digits(&mut self) -> Result<()> {
        if !self.peek().is_ascii_digit() {
            return self.wrong("a digit");
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Json> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        match self.text[start..self.at].parse::<f64>() {
            Ok(v) if v.is_finite() => Ok(Json::Number(v)),
            _ => self.wrong("the end of a number that fits"),
        }
    }

    fn string(&mut self) -> Result<String> {
        if !self.take(b'"') {
            return self.wrong("a string");
        }
        let mut text = String::new();
        loop {
            let start = self.at;
            while self.at < self.text.len() && self.peek() >= b' ' && self.peek() != b'"' && self.peek() != b'\\' {
                self.at += 1;
            }
            text.push_str(&self.text[start..self.at]);
            if self.take(b'"') {
                return Ok(text);
            }
            if !self.take(b'\\') {
                return self.wrong("part of a string");
            }
            text.push(self.escape()?);
        }
    }

    /// What stands behind a backslash. Half of a surrogate pair becomes U+FFFD.
    fn escape(&mut self) -> Result<char> {
        let byte = self.peek();
        let c = match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return self.wrong("an escape"),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char> {
        let high = self.hex4()?;
        if (0xD800..0xDC00).contains(&high) && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let c = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(c).unwrap_or('\u{FFFD}'));
            }
            self.at = before;
        }
        Ok(char::from_u32(high).unwrap_or('\u{FFFD}'))
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|s| s.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.map(|s| u32::from_str_radix(s, 16)) {
            Some(Ok(v)) => {
                self.at += 4;
                Ok(v)
            }
            _ => self.wrong("four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let v =
            Json::parse(" {\"a\": [1, {\"b\": \"x\\n\\u4e2d\\ud83e\\udec0\\ud800\"}, true], \"\\u0061b\": null} ")
                .unwrap();
        assert_eq!(v.get("ab"), Some(&Json::Null));
        assert_eq!(v.get("b"), None);
        let a = v.array("a").unwrap();
        assert_eq!(a[0], Json::Number(1.0));
        assert_eq!(a[1].text("b").unwrap(), "x\n中🫀\u{FFFD}");
        assert_eq!(v.number("a").unwrap_err().to_string(), "a is not a number");
    }

    #[test]
    fn numbers_are_the_nearest() {
        for (text, want) in [("-0", -0.0), ("0.30000000000000004", 0.1 + 0.2), ("5e-324", 5e-324), ("1E5", 1e5)] {
            match Json::parse(text) {
                Ok(Json::Number(v)) => assert_eq!(v.to_bits(), f64::to_bits(want), "{}", text),
                other => panic!("{}: {:?}", text, other),
            }
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        for text in [
            "",
            "{",
            "{\"a\"}",
            "[1,]",
            "{\"a\":1,}",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "tru",
            "-",
            "01",
            "1.",
            "1e309",
            "[1 2]",
            "{1:2}",
            "\"\n\"",
            "1 2",
            "\"\\u+123\"",
            &deep,
        ] {
            assert!(Json::parse(text).is_err(), "{}", text);
        }
    }

    #[test]
    fn every_start_and_every_change_of_a_value_is_read_or_refused() {
        let text = "{\"a\": [1.5e-3, {\"b\": \"\\u4e2d文\"}, true, null]}";
        for i in 0..text.len() {
            if let Some(start) = text.get(..i) {
                assert!(Json::parse(start).is_err());
            }
            for byte in 0..128 {
                let mut changed = text.as_bytes().to_vec();
                changed[i] = byte;
                if let Ok(changed) = String::from_utf8(changed) {
                    let _ = Json::parse(&changed);
                }
            }
        }
    }
}
