use clap::{
    builder::{PossibleValue, TypedValueParser},
    error::ErrorKind,
};
use partywall_audit::Fault;

/// Reads a fault's id as people write it: `rls-off` is RLS_OFF. Completions offer all.
#[derive(Clone)]
pub(super) struct Named;

impl TypedValueParser for Named {
    type Value = Fault;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Fault, clap::Error> {
        let text = value.to_string_lossy();
        let id = text.trim().to_uppercase().replace(['-', ' '], "_");
        Fault::named(&id).ok_or_else(|| {
            let near = near(&id);
            let mend = if near.is_empty() {
                "`partywall explain` lists them".to_owned()
            } else {
                format!(
                    "did you mean {}? `partywall explain` lists them all",
                    near.join(", ")
                )
            };
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            clap::Error::raw(
                ErrorKind::InvalidValue,
                format!("there is no fault `{text}`\n  try: {mend}\n"),
            )
            .with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Fault::ALL.iter().map(|fault| {
            PossibleValue::new(fault.id()).help(fault.title())
        })))
    }
}

/// Faults of which a word is in the text.
fn near(id: &str) -> Vec<&'static str> {
    Fault::ALL
        .iter()
        .map(|fault| fault.id())
        .filter(|known| {
            known.split('_').any(|word| {
                word.len() > 2
                    && id.split('_').any(|asked| {
                        asked.len() > 2 && (asked.starts_with(word) || word.starts_with(asked))
                    })
            })
        })
        .take(6)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood() {
        assert!(near("POLICY_TRU").contains(&"POLICY_TRUE"));
        assert!(near("XYZ").is_empty());
    }
}
