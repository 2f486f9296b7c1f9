use std::error::Error;

/// What a step of a measurement answers: any error ends the program, which prints it.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;
