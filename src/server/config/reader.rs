//! Takes the properties of a file one by one, collects what is wrong with them, and in the end names those that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::complaint::{Complaint, Source};
use super::keys;
use super::properties::{self, Property};

/// The properties of one file.
pub(super) struct Reader {
    pub source: Source,
    properties: Vec<Property>,
    /// By canonical key, the index of the last property of that key: Java lets it win.
    last: BTreeMap<String, usize>,
    asked: BTreeSet<String>,
    pub errors: Vec<Complaint>,
    pub warnings: Vec<Complaint>,
}

impl Reader {
    /// Reads a text. What is no properties file at all is an error.
    pub fn new(source: Source) -> Result<Reader, Complaint> {
        let properties = properties::parse(&source.text).map_err(|bad| {
            source
                .at(bad.0, "`\\u` must be followed by four hexadecimal digits")
                .help("a backslash is written as two: `\\\\`")
        })?;
        let source = without_secrets(source, &properties);
        let mut reader = Reader {
            source,
            properties,
            last: BTreeMap::new(),
            asked: BTreeSet::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        };
        for (index, property) in reader.properties.iter().enumerate() {
            if let Some(before) = reader.last.insert(canonical(&property.key).to_owned(), index) {
                let before = &reader.properties[before];
                let is_setting = |it: &Property| reader.source.is_setting(it.key_span.start);
                if is_setting(property) && !is_setting(before) {
                    continue;
                }
                let complaint =
                    reader.source.at(before.key_span.clone(), format!("`{}` comes again below", before.key));
                reader.warnings.push(complaint.help("the last one counts; remove the others"));
            }
        }
        Ok(reader)
    }

    /// The property of this key. An empty value is none.
    pub fn take(&mut self, key: &str) -> Option<Property> {
        self.asked.insert(key.to_owned());
        self.last.get(key).map(|&index| self.properties[index].clone()).filter(|property| !property.value.is_empty())
    }

    /// The properties whose keys are `prefix` and something, each with the something.
    pub fn take_all(&mut self, prefix: &str) -> Vec<(String, Property)> {
        let found = self.last.iter().filter_map(|(key, &index)| {
            let rest = key.strip_prefix(prefix)?;
            Some((rest.to_owned(), self.properties[index].clone()))
        });
        let found: Vec<_> = found.collect();
        self.asked.extend(found.iter().map(|(rest, _)| format!("{prefix}{rest}")));
        found
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(|property| property.value)
    }

    /// A whole number.
    pub fn number<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: Copy + PartialOrd + Display + FromStr,
    {
        let property = self.take(key)?;
        match property.value.parse().ok().filter(|value| range.contains(value)) {
            Some(value) => Some(value),
            None => {
                let expected = format!("expected a whole number from {} to {}", range.start(), range.end());
                self.wrong(&property, expected);
                None
            }
        }
    }

    /// A whole number that counts as `least` if it is below, as in ZooKeeper, which is told with what `least` means.
    pub fn at_least(&mut self, key: &str, least: u32, most: u32, meaning: &str) -> Option<u32> {
        let given = self.number(key, i64::from(i32::MIN)..=i64::from(most))?;
        if given >= i64::from(least) {
            return u32::try_from(given).ok();
        }
        if let Some(property) = self.take(key) {
            self.warn(&property, format!("`{}` of {given} counts as {least}", property.key), meaning);
        }
        Some(least)
    }

    /// `true` or `false`, in any case.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        self.choice(key, default, &[("true", true), ("false", false)])
    }

    /// `yes` or `no`. ZooKeeper takes anything but `yes` for `no`, which nobody means who writes `forceSync=true`.
    pub fn yes_no(&mut self, key: &str, default: bool) -> bool {
        self.choice(key, default, &[("yes", true), ("no", false)])
    }

    /// One of these words.
    pub fn choice<T: Copy>(&mut self, key: &str, default: T, words: &[(&str, T)]) -> T {
        let Some(property) = self.take(key) else { return default };
        match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&property.value)) {
            Some(&(_, value)) => value,
            None => {
                let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                self.wrong(&property, format!("expected {}", words.join(" or ")));
                default
            }
        }
    }

    /// The value of a property is none of those it may have.
    pub fn wrong(&mut self, property: &Property, expected: impl Into<String>) {
        let message = format!("`{}` cannot be `{}`", property.key, property.value);
        self.errors.push(self.source.at(property.value_span.clone(), message).help(expected));
    }

    /// Something is wrong with a property as a whole.
    pub fn error(&mut self, property: &Property, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(self.source.at(property.value_span.clone(), message).help(help));
    }

    /// The same, and it does no harm.
    pub fn warn(&mut self, property: &Property, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(self.source.at(property.key_span.clone(), message).help(help));
    }

    /// A property that must be there is not.
    pub fn lacks(&mut self, key: &str, help: impl Into<String>) {
        self.errors.push(self.source.lacks(format!("`{key}` is not set")).help(help));
    }

    /// Everything that was not asked for.
    pub fn finish(&mut self) {
        let asked: Vec<String> = self.asked.iter().cloned().collect();
        for (index, property) in self.properties.iter().enumerate() {
            let key = canonical(&property.key);
            if self.asked.contains(key) || self.last.get(key) != Some(&index) {
                continue;
            }
            let at = |message: String| self.source.at(property.key_span.clone(), message);
            match keys::of_zookeeper(key) {
                Some(keys::Without::Harm(why)) => {
                    self.warnings.push(at(format!("`{}` has no effect", property.key)).help(why));
                }
                Some(keys::Without::Support { off, instead }) => {
                    if !property.value.is_empty() && !off.iter().any(|off| off.eq_ignore_ascii_case(&property.value)) {
                        let complaint = at(format!("`{}` is not supported", property.key));
                        self.errors.push(complaint.help(instead));
                    }
                }
                None => {
                    let help = keys::nearest(key, &asked).map(|near| format!("did you mean `{near}`?"));
                    let complaint = at(format!("unknown key `{}`: it has no effect", property.key));
                    self.warnings.push(Complaint { help, ..complaint });
                }
            }
        }
    }
}

impl Source {
    /// Something that turned out later about the property `key`, if the text has it.
    pub fn about(&self, key: &str, message: impl Into<String>, help: impl Into<String>) -> Complaint {
        let property = Reader::new(self.clone()).ok().and_then(|mut reader| reader.take(key));
        match property {
            Some(property) => self.at(property.value_span, message),
            None => self.lacks(message),
        }
        .help(help)
    }
}

/// The same text with stars for what nobody should read over a shoulder or in a log: errors show the lines that they are about.
fn without_secrets(source: Source, properties: &[Property]) -> Source {
    let mut text = source.text.as_bytes().to_vec();
    for property in properties {
        let key = property.key.to_lowercase();
        if ["super", "password", "passwd", "secret"].iter().any(|word| key.contains(word)) {
            text[property.value_span.clone()].fill(b'*');
        }
    }
    source.masked(String::from_utf8(text).expect("a value begins and ends between two characters"))
}

/// A key as `zoo.cfg` spells it: what is not a key of the file is a system property `zookeeper.<key>`, and may be written so.
fn canonical(key: &str) -> &str {
    key.strip_prefix("zookeeper.").unwrap_or(key)
}
