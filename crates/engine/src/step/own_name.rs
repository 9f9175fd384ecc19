//! Names for what a step makes.

/// A name that no other step of the run and no other round has, of up to `most` characters.
pub(super) fn own_name(run: &str, slug: &str, most: usize) -> String {
    let whole = format!("playbook-{run}-{slug}");
    if whole.chars().count() <= most {
        return whole;
    }
    // What is cut off still tells one from another.
    let rest = format!("-{:08x}", crc32fast::hash(whole.as_bytes()));
    let kept = most.saturating_sub(rest.len());
    whole.chars().take(kept).chain(rest.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::own_name;

    #[test]
    fn long_names_are_cut_and_differ_all_the_same() {
        assert_eq!(own_name("7f3a", "allow-2", 100), "playbook-7f3a-allow-2");
        let names = ["1", "2"].map(|round| own_name("7f3a", &format!("{:x<200}-{round}", ""), 100));
        assert_eq!(names.each_ref().map(String::len), [100, 100]);
        assert_ne!(names[0], names[1]);
    }
}
