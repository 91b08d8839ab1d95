//! What the checks of the books found, on the wire.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether the books are in order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({"ok": true, "checks": [{
    "id": "I1", "title": "Every level equals the sum of its movements", "violations": 0, "examples": []
}]}))]
pub struct IntegrityReport {
    /// Whether no check found anything.
    pub ok: bool,
    /// Every check.
    pub checks: Vec<IntegrityCheck>,
}

/// One check and what it found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IntegrityCheck {
    /// For example `I1`.
    #[schema(value_type = String)]
    pub id: &'static str,
    /// What must hold.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// How often it does not.
    pub violations: i64,
    /// Five of them at most, in words.
    pub examples: Vec<String>,
}
