//! Files from outside, through the command line, as their owner would try it.

use std::{fs, io::Write as _, path::Path};

use crate::{
    command::{Ran, run},
    world::{World, folder, query},
};

struct Desk {
    world: World,
    files: std::path::PathBuf,
}

impl Desk {
    fn new(name: &str) -> Self {
        Self {
            world: World::start(false),
            files: folder(name),
        }
    }

    fn import(&self, content: &[u8], more: &[&str]) -> Ran {
        let file = self.files.join("notes.csv");
        fs::write(&file, content).unwrap();
        self.import_file(&file, "acme", more)
    }

    fn import_file(&self, file: &Path, tenant: &str, more: &[&str]) -> Ran {
        let file = file.to_str().unwrap();
        let mut arguments = vec!["--import", file, "--tenant", tenant];
        arguments.extend(more);
        run(&self.world.place, &arguments, &[])
    }

    /// Titles and texts that are no sample's.
    fn loaded(&self) -> Vec<String> {
        self.world
            .sql("SELECT title || '/' || body FROM note WHERE author = 'Import' ORDER BY id")
    }

    fn clear(&self) {
        self.world.sql("DELETE FROM note WHERE author = 'Import'");
    }
}

#[test]
fn files_as_they_come() {
    let desk = Desk::new("import-good");
    let windows: &[u8] = b"Title;Body\r\ncaf\xe9;\x80 5\r\n";
    let utf16: Vec<u8> = "\u{feff}title\tbody\na\u{e9}\tb\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: [(&[u8], &[&str], &[&str]); 9] = [
        (b"title,body\na,b\n", &[], &["a/b"]),
        (b"\xef\xbb\xbfBODY,x,Title\nb,ignored,a", &[], &["a/b"]),
        (
            b"title,body\r\n\"a, b\",\"one\r\n\"\"two\"\"\r\n\"\r\n",
            &[],
            &["a, b/one\n\"two\"\n"],
        ),
        (b"title;body\na;b,c\n", &[], &["a/b,c"]),
        (b"title\tbody\na\tb;c\n", &[], &["a/b;c"]),
        (windows, &["--encoding", "windows-1252"], &["café/€ 5"]),
        (&utf16, &["--encoding", "utf-16le"], &["aé/b"]),
        (
            b"Betreff,Text\na,b\n",
            &["--title-column", "betreff", "--body-column", "TEXT"],
            &["a/b"],
        ),
        (b"title,body\n\n\na,\n\nb,x\n", &[], &["a/", "b/x"]),
    ];
    for (content, more, expected) in cases {
        let ran = desk.import(content, more);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, format!("{} notes loaded\n", expected.len()).as_str()),
            "{}",
            ran.stderr
        );
        assert_eq!(desk.loaded(), expected);
        desk.clear();
    }
    assert_eq!(desk.import(b"title,body\n", &[]).stdout, "0 notes loaded\n");
}

#[test]
fn bad_lines_are_named_and_nothing_is_half_loaded() {
    let desk = Desk::new("import-bad");
    let mut content =
        b"title,body\ngood,1\n\"good\nover\nlines\",2\n\n,empty title\nonly one\n".to_vec();
    content.extend(b"a,b,c\r\nbad \xff byte,x\n\"quoted\n\n\",fine\n");
    content.extend(format!("{},too long\n", "x".repeat(201)).bytes());
    let ran = desk.import(&content, &[]);
    assert_eq!(ran.code, 2);
    let lines: Vec<_> = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("line "))
        .collect();
    assert_eq!(
        lines,
        [
            "line 7: the title is empty",
            "line 8: 1 columns instead of 2",
            "line 9: 3 columns instead of 2",
            "line 10: holds bytes that are not UTF-8: name another with --encoding",
            "line 14: the title is longer than 200 characters",
        ]
    );
    assert!(
        ran.stderr
            .contains("nothing was loaded: 5 of 8 records are bad"),
        "{}",
        ran.stderr
    );
    assert!(desk.loaded().is_empty());

    // The last of many, after whole batches have been written.
    let mut many = String::from("title,body\n");
    for n in 0..3_500 {
        many.push_str(&format!("note {n},text\n"));
    }
    let good = many.clone();
    many.push_str(",\n");
    let ran = desk.import(many.as_bytes(), &[]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("line 3502: the title is empty"),
        "{}",
        ran.stderr
    );
    assert!(desk.loaded().is_empty(), "half of it was loaded");
    assert_eq!(
        desk.import(good.as_bytes(), &[]).stdout,
        "3500 notes loaded\n"
    );
    assert_eq!(desk.loaded().len(), 3_500);
    let elsewhere = "SELECT count(*) FROM note JOIN identity.tenant t ON t.id = tenant_id WHERE author = 'Import' AND slug <> 'acme'";
    assert_eq!(desk.world.one(elsewhere), "0");
}

/// As large as the owner's own: a hundred thousand lines, with quoted newlines among them. One bad line
/// near the end keeps all of them out.
#[test]
fn a_hundred_thousand_lines() {
    let desk = Desk::new("import-large");
    let mut file = String::from("title,body\n");
    let (mut lines, mut records, mut quoted, mut bad) = (1, 0, 0, 0);
    while lines < 100_000 {
        if bad == 0 && lines > 99_900 {
            file.push_str(",no title\n");
            lines += 1;
            bad = lines;
        } else if records % 10 == 0 {
            file.push_str(&format!("note {records},\"one\ntwo\"\n"));
            quoted += 1;
            lines += 2;
        } else {
            file.push_str(&format!("note {records},text\n"));
            lines += 1;
        }
        records += 1;
    }
    let ran = desk.import(file.as_bytes(), &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let told = format!("line {bad}: the title is empty");
    assert!(ran.stderr.contains(&told), "{told}: {}", ran.stderr);
    let count = "SELECT count(*) FROM note WHERE author = 'Import'";
    assert_eq!(desk.world.one(count), "0", "half of it was loaded");
    let good = file.replace("\n,no title\n", "\n");
    records -= 1;
    let ran = desk.import(good.as_bytes(), &[]);
    assert_eq!(ran.stdout, format!("{records} notes loaded\n"));
    let with_two_lines =
        "SELECT count(*) FROM note WHERE author = 'Import' AND body = E'one\\ntwo'";
    assert_eq!(desk.world.one(with_two_lines), quoted.to_string());
}

#[test]
fn what_is_missing_is_told() {
    let desk = Desk::new("import-missing");
    let file = desk.files.join("notes.csv");
    fs::File::create(&file)
        .unwrap()
        .write_all(b"name,body\na,b\n")
        .unwrap();
    let says = |ran: Ran, text: &str| {
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    };
    says(
        desk.import_file(&file, "acme", &[]),
        "no column `title`: it has `name`, `body`",
    );
    says(
        desk.import_file(&file, "umbrella", &["--title-column", "name"]),
        "no tenant `umbrella`: there are `acme`",
    );
    says(
        desk.import_file(&desk.files.join("none.csv"), "acme", &[]),
        "none.csv` cannot be opened",
    );
    says(
        desk.import_file(&desk.files, "acme", &[]),
        "cannot be opened",
    );
    says(
        desk.import_file(&file, "acme", &["--encoding", "klingon"]),
        "no encoding `klingon`",
    );
    says(
        run(&desk.world.place, &["--import", "x.csv"], &[]),
        "--tenant",
    );
    assert!(desk.loaded().is_empty());
    let url = desk.world.place.url.as_deref().unwrap();
    assert_eq!(query(url, "SELECT count(*) FROM identity.tenant"), ["3"]);
}
