//! The ids that cross module contracts, and ids that are computed instead of allocated.

use uuid::{Builder, Uuid};

crate::uuid_newtype! {
    /// A store. Grants are limited to stores, so the guard must know this type.
    pub StoreId
}
crate::uuid_newtype! {
    /// A person, or a machine that signs in like one.
    pub UserId
}
crate::uuid_newtype! {
    /// One login: every access token names the session it belongs to.
    pub SessionId
}

crate::uuid_newtype! {
    /// A product: one SKU.
    pub ProductId
}
crate::uuid_newtype! {
    /// A sale, and the hold that took its goods.
    pub SaleId
}
crate::uuid_newtype! {
    /// A transfer of goods between two stores.
    pub TransferId
}
crate::uuid_newtype! {
    /// A physical count of a store's goods.
    pub CountId
}

/// Fixed for ever: changing it would let an old retry create a second sale.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f2d_7c3e_51aa_4b0c_9d6e_2f10_77c4_01e5);

/// The id of what a request creates: the same for every retry, in every replica.
///
/// Computed from who asks, the route and the key, so that keys belong to the caller. Where the
/// key is itself a `UUIDv7` its 48-bit time stays in front (a `UUIDv8`, RFC 9562 §5.8), so that new
/// rows land together in the indexes.
pub fn derive(caller: UserId, route: &str, key: &str) -> Uuid {
    let mut name = Vec::with_capacity(16 + route.len() + 1 + key.len());
    name.extend_from_slice(caller.0.as_bytes());
    name.extend_from_slice(route.as_bytes());
    name.push(0);
    name.extend_from_slice(key.as_bytes());
    let hash = Uuid::new_v5(&NAMESPACE, &name);
    match Uuid::try_parse(key) {
        Ok(time) if time.get_version_num() == 7 => {
            let mut bytes = *hash.as_bytes();
            for (to, from) in bytes.iter_mut().zip(time.as_bytes().iter().take(6)) {
                *to = *from;
            }
            Builder::from_custom_bytes(bytes).into_uuid()
        }
        _ => hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_always_has_the_same_id() {
        let user = UserId::new();
        assert_eq!(
            derive(user, "/api/sales", "k"),
            derive(user, "/api/sales", "k")
        );
    }

    #[test]
    fn another_caller_route_or_key_has_another_id() {
        let user = UserId::new();
        let id = derive(user, "/api/sales", "k");
        assert_ne!(id, derive(UserId::new(), "/api/sales", "k"));
        assert_ne!(id, derive(user, "/api/returns", "k"));
        assert_ne!(id, derive(user, "/api/sales", "l"));
    }

    #[test]
    fn a_time_ordered_key_gives_a_time_ordered_id() {
        let key = Uuid::now_v7();
        let id = derive(UserId::new(), "/api/sales", &key.to_string());
        assert_eq!(id.as_bytes()[..6], key.as_bytes()[..6]);
        assert_eq!(id.get_version_num(), 8);
    }
}
