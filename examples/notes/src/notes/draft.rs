//! What somebody wrote, checked.

use partywall::policy::Fields;

use crate::web::Problem;

/// Characters in a title, at most.
pub(crate) const MAX_TITLE: usize = 200;
/// Characters in a note's text, at most.
const MAX_BODY: usize = 100_000;
const MAX_COMMENT: usize = 10_000;
const MAX_REMARK: usize = 1_000;
const MAX_TAG: usize = 30;
const MAX_TAGS: usize = 10;

/// A new note.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) tags: Vec<String>,
    pub(super) remark: Option<String>,
}

/// A change to a note: what is absent stays.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    /// `Some(None)` takes it away.
    pub(super) remark: Option<Option<String>>,
}

/// A new comment.
#[derive(Debug)]
pub(crate) struct CommentDraft {
    pub(crate) body: String,
}

impl Draft {
    pub(crate) fn new(title: &str, body: &str, labels: &[String]) -> Result<Self, Problem> {
        Ok(Self {
            title: title_of(title)?,
            body: body_of(body)?,
            tags: tags_of(labels)?,
            remark: None,
        })
    }

    /// With a remark for those who may change the note. Refused where it is hidden from the writer.
    pub(crate) fn with_remark(
        self,
        remark: Option<&str>,
        fields: &Fields,
    ) -> Result<Self, Problem> {
        let Some(remark) = remark else {
            return Ok(self);
        };
        let remark = remark_of(remark, fields)?;
        Ok(Self { remark, ..self })
    }
}

impl Change {
    pub(crate) fn new(
        title: Option<&str>,
        body: Option<&str>,
        labels: Option<&[String]>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            title: title.map(title_of).transpose()?,
            body: body.map(body_of).transpose()?,
            tags: labels.map(tags_of).transpose()?,
            remark: None,
        })
    }

    /// With another remark, or without one where it is empty. Refused where it is hidden from the
    /// writer.
    pub(crate) fn with_remark(
        self,
        remark: Option<&str>,
        fields: &Fields,
    ) -> Result<Self, Problem> {
        let remark = remark.map(|remark| remark_of(remark, fields)).transpose()?;
        Ok(Self { remark, ..self })
    }
}

impl CommentDraft {
    pub(crate) fn new(body: &str) -> Result<Self, Problem> {
        let body = text("comment", body.trim(), MAX_COMMENT)?;
        if body.is_empty() {
            return Err(Problem::invalid("the comment is empty"));
        }
        Ok(Self { body })
    }
}

/// Tags as a form has them: `red, blue`.
pub(crate) fn split_tags(text: &str) -> Vec<String> {
    text.split(',')
        .filter(|tag| !tag.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

fn title_of(title: &str) -> Result<String, Problem> {
    let title = text("title", title.trim(), MAX_TITLE)?;
    if title.is_empty() {
        return Err(Problem::invalid("the title is empty"));
    }
    Ok(title)
}

/// Browsers send lines that end in CR LF.
fn body_of(body: &str) -> Result<String, Problem> {
    text("text", &body.replace("\r\n", "\n"), MAX_BODY)
}

fn remark_of(remark: &str, fields: &Fields) -> Result<Option<String>, Problem> {
    if fields.refuses("remark") {
        return Err(Problem::forbidden());
    }
    let remark = text("remark", remark.trim(), MAX_REMARK)?;
    Ok(Some(remark).filter(|remark| !remark.is_empty()))
}

fn tags_of(labels: &[String]) -> Result<Vec<String>, Problem> {
    let mut tags = Vec::new();
    for label in labels {
        let tag = text("tag", &label.trim().to_lowercase(), MAX_TAG)?;
        if tag.is_empty() || tag.contains(',') {
            return Err(Problem::invalid("a tag is empty or holds a comma"));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(Problem::invalid(format!(
            "a note has at most {MAX_TAGS} tags"
        )));
    }
    Ok(tags)
}

fn text(what: &str, text: &str, longest: usize) -> Result<String, Problem> {
    if text.contains('\0') {
        return Err(Problem::invalid(format!(
            "the {what} holds a NUL character"
        )));
    }
    if text.chars().count() > longest {
        return Err(Problem::invalid(format!(
            "the {what} is longer than {longest} characters"
        )));
    }
    Ok(text.to_owned())
}
