// A scope is not read from text.
async fn case(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let _read: String = serde_json::from_str(text)?;
    Ok(())
}

fn main() {}
