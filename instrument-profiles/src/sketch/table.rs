//! How a file is parted, from what it looks like.

/// `[link.directory]` and `[table]` as a profile has them.
pub(super) fn link_and_table(text: &str) -> Result<String, String> {
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(50).collect();
    let first = lines.first().ok_or("the file is empty")?;
    let delimiter = ['\t', ';', ',', '|']
        .into_iter()
        .max_by_key(|mark| {
            (lines.iter().filter(|line| line.contains(*mark)).count(), first.matches(*mark).count())
        })
        .filter(|mark| first.contains(*mark))
        .ok_or("neither LIS02, HL7 nor a file with tab, semicolon, comma or | between its columns")?;
    let header = !first.split(delimiter).any(|cell| cell.trim_matches('"').trim().parse::<f64>().is_ok());
    let mark = toml::Value::String(delimiter.to_string());
    let mut columns: Vec<toml::Value> = Vec::new();
    for name in first.split(delimiter).map(|cell| cell.trim().trim_matches('"').trim()).filter(|_| header) {
        let name = toml::Value::String(name.to_owned());
        if name.as_str() != Some("") && !columns.contains(&name) {
            columns.push(name);
        }
    }
    let columns = if header { format!("columns = {}\n", toml::Value::Array(columns)) } else { String::new() };
    Ok(format!(
        "[link.directory]\npattern = \"*\"\n\n[table]\ndelimiter = {mark}\nheader = {header}\n{columns}"
    ))
}

/// Whether the table has a line of names.
pub(super) fn has_header(link: &str) -> bool {
    link.contains("header = true")
}

/// What a column is for, by words in its heading.
pub(super) const SPECIMEN: [&str; 8] =
    ["sample", "specimen", "barcode", "donation", "样本", "标本", "条码", "献血码"];
pub(super) const TEST: [&str; 6] = ["test", "assay", "item", "analyte", "项目", "试剂"];
pub(super) const VALUE: [&str; 8] =
    ["interpretation", "result", "conclusion", "value", "判定", "结论", "结果", "判读"];
pub(super) const UNIT: [&str; 2] = ["unit", "单位"];
pub(super) const FLAGS: [&str; 4] = ["flag", "alarm", "标志", "报警"];
pub(super) const STATUS: [&str; 2] = ["status", "状态"];
pub(super) const TIME: [&str; 4] = ["time", "date", "时间", "日期"];

/// The first heading that holds one of the words, in the order of the words.
pub(super) fn by_words<'h>(headings: &'h [String], words: &[&str]) -> Option<&'h String> {
    words.iter().find_map(|word| headings.iter().find(|heading| heading.to_lowercase().contains(word)))
}
