use std::fmt::Write as _;

/// Text of a database as it may be shown: names can hold anything, so what moves a cursor, turns the direction of
/// writing or ends a line is written as an escape.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push('\t'),
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {
                // Writing to a `String` cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            character if character.is_control() => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            character => shown.push(character),
        }
    }
    shown
}

/// The same for what stands in one line, such as a name.
pub(crate) fn one_line(text: &str) -> String {
    shown(text).replace('\n', "\\u{a}").replace('\t', "\\u{9}")
}

/// Wraps text into lines of so many columns, behind an indent. A word that is longer stays whole: it may be to be copied.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in shown(text).lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && columns(&line) + 1 + columns(word) > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    let space = " ".repeat(indent);
    lines
        .iter()
        .map(|line| format!("{space}{line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How many columns a text takes, near enough: wide scripts count double.
pub(crate) fn columns(text: &str) -> usize {
    text.chars()
        .map(|character| match u32::from(character) {
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1faff
            | 0x20000..=0x3fffd => 2,
            0x300..=0x36f => 0,
            _ => 1,
        })
        .sum()
}

/// Cuts or fills a text to so many columns.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    let text = shown(text).replace(['\n', '\t'], " ");
    let mut fitted = String::new();
    let mut taken = 0;
    let whole = columns(&text) <= width;
    let room = if whole {
        width
    } else {
        width.saturating_sub(1)
    };
    for character in text.chars() {
        let wide = columns(character.encode_utf8(&mut [0; 4]));
        if taken + wide > room {
            break;
        }
        fitted.push(character);
        taken += wide;
    }
    if !whole {
        fitted.push('…');
        taken += 1;
    }
    fitted.push_str(&" ".repeat(width.saturating_sub(taken)));
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit() {
        let text = wrapped("one two three four five six", 4, 24);
        assert_eq!(text, "    one two three four\n    five six");
    }

    #[test]
    fn nothing_of_a_name_reaches_the_terminal_as_a_command() {
        assert_eq!(
            shown("a\u{1b}[2Jb\u{202e}c\r"),
            "a\\u{1b}[2Jb\\u{202e}c\\u{d}"
        );
    }

    #[test]
    fn a_cell_has_its_width() {
        assert_eq!(fitted("abc", 5), "abc  ");
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("日本語", 5), "日本…");
    }
}
