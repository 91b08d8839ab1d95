//! What a set of grants must be like.

use kernel::auth::{Grant, Role};

/// More would make access tokens too long for a header.
pub(crate) const MAX_GRANTS: usize = 100;

/// The index of the first grant that stands twice.
pub(crate) fn duplicate(grants: &[Grant]) -> Option<usize> {
    grants
        .iter()
        .enumerate()
        .find(|(at, grant)| grants.iter().take(*at).any(|earlier| earlier == *grant))
        .map(|(at, _)| at)
}

/// Whether these make someone an admin of every store.
pub(crate) fn is_admin_everywhere(grants: &[Grant]) -> bool {
    grants
        .iter()
        .any(|g| g.role == Role::Admin && g.store_id.is_none())
}

/// For a gateway's header: `manager@<store>` or `admin@*`.
pub(crate) fn as_word(grant: &Grant) -> String {
    match grant.store_id {
        None => format!("{}@*", grant.role.as_str()),
        Some(store) => format!("{}@{store}", grant.role.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use kernel::ids::StoreId;

    use super::*;

    #[test]
    fn a_grant_may_stand_once_per_store() {
        let (a, b) = (StoreId::new(), StoreId::new());
        let grant = |store_id| Grant {
            role: Role::Clerk,
            store_id,
        };
        assert_eq!(
            duplicate(&[grant(Some(a)), grant(Some(b)), grant(None)]),
            None
        );
        assert_eq!(
            duplicate(&[grant(Some(a)), grant(None), grant(Some(a))]),
            Some(2)
        );
        assert_eq!(duplicate(&[grant(None), grant(None)]), Some(1));
    }

    #[test]
    fn an_admin_of_one_store_is_no_admin_everywhere() {
        let admin = |store_id| Grant {
            role: Role::Admin,
            store_id,
        };
        assert!(!is_admin_everywhere(&[admin(Some(StoreId::new()))]));
        assert!(is_admin_everywhere(&[admin(None)]));
        assert_eq!(as_word(&admin(None)), "admin@*");
    }
}
