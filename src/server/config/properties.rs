//! The syntax of Java's properties files (`java.util.Properties.load`), with the place of everything that was read.

use std::ops::Range;

/// One `key=value`, escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub key: String,
    /// Trimmed, as ZooKeeper does.
    pub value: String,
    /// Where the key stands.
    pub key_span: Range<usize>,
    /// Where the value stands, from its first character to its last; empty, after the separator, if there is none.
    pub value_span: Range<usize>,
}

impl Property {
    /// The place of a part of the value, if it stands in the text as it was read.
    pub fn part(&self, text: &str, part: Range<usize>) -> Range<usize> {
        match text.get(self.value_span.clone()) {
            Some(raw) if raw == self.value => self.value_span.start + part.start..self.value_span.start + part.end,
            _ => self.value_span.clone(),
        }
    }
}

/// Why a text is no properties file: a `\u` without four hexadecimal digits, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadEscape(pub Range<usize>);

/// Every property, in order; a key may come more than once.
pub(super) fn parse(text: &str) -> Result<Vec<Property>, BadEscape> {
    let mut properties = Vec::new();
    for line in (Lines { text, at: 0 }) {
        let is_gap = |c: &Char| c.plain && matches!(c.value, ' ' | '\t' | '\x0c');
        let is_separator = |c: &Char| c.plain && matches!(c.value, '=' | ':');
        let chars = line?;
        let key_end = chars.iter().position(|c| is_gap(c) || is_separator(c)).unwrap_or(chars.len());
        let mut rest = key_end + chars[key_end..].iter().take_while(|c| is_gap(c)).count();
        if chars.get(rest).is_some_and(is_separator) {
            rest += 1;
            rest += chars[rest..].iter().take_while(|c| is_gap(c)).count();
        }
        let end = chars.iter().rposition(|c| !c.value.is_whitespace()).map_or(0, |last| last + 1).max(rest);
        let line_end = chars.last().map_or(0, |c| c.span.end);
        let span = |range: Range<usize>| match &chars[range.clone()] {
            [] => chars.get(range.start).map_or(line_end..line_end, |c| c.span.start..c.span.start),
            [only] => only.span.clone(),
            [first, .., last] => first.span.start..last.span.end,
        };
        properties.push(Property {
            key: chars[..key_end].iter().map(|c| c.value).collect(),
            value: chars[rest..end].iter().map(|c| c.value).collect(),
            key_span: span(0..key_end),
            value_span: span(rest..end),
        });
    }
    Ok(properties)
}

/// A character of a logical line.
struct Char {
    value: char,
    /// Not escaped: may be a separator.
    plain: bool,
    span: Range<usize>,
}

/// Logical lines: without comments and blank lines, continuations joined, escapes resolved.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Result<Vec<Char>, BadEscape>;

    fn next(&mut self) -> Option<Result<Vec<Char>, BadEscape>> {
        loop {
            self.skip_gap();
            match self.peek()? {
                '\r' | '\n' => self.at += 1,
                '#' | '!' => self.at = self.text[self.at..].find(['\r', '\n']).map_or(self.text.len(), |n| self.at + n),
                _ => return Some(self.logical()),
            }
        }
    }
}

impl Lines<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_gap(&mut self) {
        self.at +=
            self.text[self.at..].find(|c| !matches!(c, ' ' | '\t' | '\x0c')).unwrap_or(self.text.len() - self.at);
    }

    fn logical(&mut self) -> Result<Vec<Char>, BadEscape> {
        let mut chars = Vec::new();
        loop {
            let start = self.at;
            let (value, plain) = match self.take() {
                None | Some('\r' | '\n') => return Ok(chars),
                Some('\\') => match self.take() {
                    None => return Ok(chars),
                    Some(newline @ ('\r' | '\n')) => {
                        if newline == '\r' && self.peek() == Some('\n') {
                            self.at += 1;
                        }
                        self.skip_gap();
                        continue;
                    }
                    Some('u') => (self.unicode(start)?, false),
                    Some(escaped) => (control(escaped), false),
                },
                Some(c) => (c, true),
            };
            chars.push(Char { value, plain, span: start..self.at });
        }
    }

    /// The four digits behind a `\u`, or those of two that are a surrogate pair.
    fn unicode(&mut self, start: usize) -> Result<char, BadEscape> {
        let first = self.digits(start)?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let after_first = self.at;
            self.at += 2;
            let second = self.digits(after_first)?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_first;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn digits(&mut self, start: usize) -> Result<u32, BadEscape> {
        let digits = self.text.get(self.at..self.at + 4).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        let line_end = self.text[self.at..].find(['\r', '\n']).map_or(self.text.len(), |n| self.at + n);
        let digits = digits.ok_or(BadEscape(start..line_end))?;
        self.at += 4;
        Ok(u32::from_str_radix(digits, 16).expect("four hexadecimal digits"))
    }
}

fn control(escaped: char) -> char {
    match escaped {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\x0c',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|p| (p.key, p.value)).collect()
    }

    #[test]
    fn java_reads_it_so() {
        let text = "# a comment\n  ! another \\\ntickTime=2000\r\ninitLimit : 10\n  syncLimit 5\n\ndataDir=C:\\\\zoo\\tkeeper  \n\
                    server.1=a:\\\n    2888:\\\n  3888\nempty\nkey\\ with\\=signs==x\numl\\u00e4ut=\\ud83d\\ude00";
        let expected = [
            ("tickTime", "2000"),
            ("initLimit", "10"),
            ("syncLimit", "5"),
            ("dataDir", "C:\\zoo\tkeeper"),
            ("server.1", "a:2888:3888"),
            ("empty", ""),
            ("key with=signs", "=x"),
            ("umläut", "😀"),
        ];
        assert_eq!(pairs(text), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn everything_has_its_place() {
        let text = "tickTime = 20x0 \nserver.1=h:\\\n  1:2\nnothing =  ";
        let read = parse(text).unwrap();
        let shown: Vec<_> = read.iter().map(|p| (&text[p.key_span.clone()], &text[p.value_span.clone()])).collect();
        assert_eq!(shown, [("tickTime", "20x0"), ("server.1", "h:\\\n  1:2"), ("nothing", "")]);
        assert_eq!(&text[read[0].part(text, 2..3)], "x");
        assert_eq!(read[1].part(text, 0..1), read[1].value_span, "a value with escapes is pointed at as a whole");
    }

    #[test]
    fn an_escape_without_digits_is_an_error() {
        assert_eq!(parse("a=b\nc=\\u12\nd=e"), Err(BadEscape(6..10)));
        assert_eq!(pairs("a=\\ud83dx").len(), 1, "half a pair is no reason to stop");
        assert_eq!(pairs("a=b\\"), [("a".to_owned(), "b".to_owned())]);
    }
}
