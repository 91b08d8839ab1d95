//! Names and paths of the category tree.

use kernel::{
    text::Text,
    utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            RefOr,
            schema::{ObjectBuilder, Schema, Type},
        },
    },
};
use serde::{Deserialize, Deserializer, de::Error};

/// Levels of the tree at most, the top one included.
pub(crate) const MAX_DEPTH: usize = 8;
const MAX_NAME: usize = 80;

/// One category's own name: 1 to 80 characters on one line, without `/`, which separates names
/// in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CategoryName(String);

impl CategoryName {
    /// The error is for a person.
    pub(crate) fn parse(raw: &str) -> Result<Self, String> {
        let text = Text::<MAX_NAME>::parse(raw)?.into_string();
        if text.contains(['/', '\n']) {
            return Err("must not contain a slash or a line break".into());
        }
        Ok(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CategoryName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for CategoryName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_NAME))
            .pattern(Some("^[^/]+$"))
            .into()
    }
}

impl ToSchema for CategoryName {}

/// The names from the top down to one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CategoryPath(Vec<CategoryName>);

impl CategoryPath {
    /// `GROCERY/FRZN ICE`. The error is for a person.
    pub(crate) fn parse(raw: &str) -> Result<Self, String> {
        let names: Vec<CategoryName> = raw
            .split('/')
            .map(CategoryName::parse)
            .collect::<Result<_, _>>()
            .map_err(|e| format!("each name of the path {e}"))?;
        if names.len() > MAX_DEPTH {
            return Err(format!("has more than {MAX_DEPTH} levels"));
        }
        Ok(Self(names))
    }

    /// Each level from the top: its path and its name.
    pub(crate) fn levels(&self) -> Vec<(String, String)> {
        let mut path = String::new();
        self.0
            .iter()
            .map(|name| {
                path = join(
                    Some(&path).filter(|p| !p.is_empty()).map(|p| &**p),
                    name.as_str(),
                );
                (path.clone(), name.as_str().to_owned())
            })
            .collect()
    }
}

/// The path of `name` under `parent`.
pub(crate) fn join(parent: Option<&str>, name: &str) -> String {
    parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}/{name}"))
}

/// Whether `path` is `root` or lies below it.
pub(crate) fn is_within(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_at_slashes() {
        let path = CategoryPath::parse("GROCERY / FRZN ICE").unwrap();
        let levels: Vec<_> = path.levels().into_iter().map(|(path, _)| path).collect();
        assert_eq!(levels, ["GROCERY", "GROCERY/FRZN ICE"]);
        for bad in ["", "/", "a//b", "a/", "1/2/3/4/5/6/7/8/9"] {
            assert!(CategoryPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_sibling_with_the_same_beginning_is_not_below() {
        assert!(is_within("A/B", "A"));
        assert!(is_within("A", "A"));
        assert!(!is_within("AB", "A"));
    }
}
