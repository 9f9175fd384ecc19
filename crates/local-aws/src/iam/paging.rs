//! Pages: `Marker`, `MaxItems`, `IsTruncated`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::{VALIDATION, validation};
use crate::protocol::query::Params;
use crate::protocol::xml::Element;
use crate::protocol::{AwsError, Constraints};

const DEFAULT_MAX_ITEMS: usize = 100;

/// Which page is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The key of the last item of the page before.
    after: Option<String>,
    max_items: Option<usize>,
}

impl PageRequest {
    /// The first page, of at most that many items.
    #[cfg(test)]
    pub(super) fn first(max_items: usize) -> Self {
        Self { after: None, max_items: Some(max_items) }
    }

    /// Reads `Marker` and `MaxItems`.
    pub fn of(params: &Params) -> Result<Self, AwsError> {
        let max_items = params
            .get("MaxItems")
            .map(|text| {
                let number: i64 = text.parse().map_err(|_| {
                    validation(format!("Value '{text}' at 'maxItems' is not a number"))
                })?;
                Constraints::new().range("maxItems", number, 1, 1000).check(VALIDATION)?;
                Ok::<_, AwsError>(usize::try_from(number).unwrap_or(DEFAULT_MAX_ITEMS))
            })
            .transpose()?;
        let after = params
            .get("Marker")
            .map(|marker| {
                let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
                bytes
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| validation(format!("Invalid Marker: {marker}")))
            })
            .transpose()?;
        Ok(Self { after, max_items })
    }
}

/// Some of the items, and how to ask for the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Set where there are more.
    pub marker: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a page out of items that are sorted by their keys.
    pub fn cut<'k>(items: impl IntoIterator<Item = (&'k str, T)>, request: &PageRequest) -> Self {
        let mut rest = items
            .into_iter()
            .skip_while(|(key, _)| request.after.as_deref().is_some_and(|after| *key <= after));
        let wanted = request.max_items.unwrap_or(DEFAULT_MAX_ITEMS);
        let (keys, items): (Vec<&str>, Vec<T>) = rest.by_ref().take(wanted).unzip();
        let last = keys.last().filter(|_| rest.next().is_some());
        Self { items, marker: last.map(|key| URL_SAFE_NO_PAD.encode(key)) }
    }

    /// The page as members of a result: the list, `IsTruncated` and `Marker`.
    pub fn to_xml(self, result: &str, list: &str, member: impl Fn(T) -> Element) -> Element {
        Element::new(result)
            .text("IsTruncated", if self.marker.is_some() { "true" } else { "false" })
            .child(Element::new(list).children(self.items.into_iter().map(member)))
            .optional("Marker", self.marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_up_to_the_whole() {
        let keys = ["a", "b", "c", "d", "e"];
        let mut request = PageRequest::first(2);
        let mut seen = Vec::new();
        loop {
            let page = Page::cut(keys.iter().map(|key| (*key, *key)), &request);
            seen.push(page.items.clone());
            let Some(marker) = page.marker else { break };
            request = PageRequest::of(
                &[("Marker", marker.as_str()), ("MaxItems", "2")].into_iter().collect(),
            )
            .expect("a marker that was handed out is valid");
        }
        assert_eq!(seen, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    }

    #[test]
    fn bounds_are_checked() {
        let refusal = |name: &str, value: &str| {
            PageRequest::of(&[(name, value)].into_iter().collect()).expect_err("refused").code
        };
        assert_eq!(refusal("MaxItems", "0"), "ValidationError");
        assert_eq!(refusal("MaxItems", "1001"), "ValidationError");
        assert_eq!(refusal("MaxItems", "many"), "ValidationError");
        assert_eq!(refusal("Marker", "???"), "ValidationError");
    }
}
