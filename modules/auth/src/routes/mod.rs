//! The public HTTP surface of auth, one file per resource.

mod audit;
mod client;
mod events;
mod keys;
mod me;
mod own_sessions;
mod password;
mod problems;
mod sign_in;
mod user_grants;
mod user_sessions;
mod user_state;
mod users;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn mount(cfg: &mut ServiceConfig<'_>) {
    cfg.service(audit::list_auth_audit)
        .service(events::read_auth_events)
        .service(keys::read_auth_health)
        .service(keys::read_jwks)
        .service(sign_in::login)
        .service(sign_in::refresh)
        .service(sign_in::logout)
        .service(sign_in::logout_all)
        .service(password::change_password)
        .service(me::read_me)
        .service(me::verify_token)
        .service(own_sessions::list_own_sessions)
        .service(own_sessions::end_own_session);
    cfg.service(users::list_users)
        .service(users::create_user)
        .service(users::read_user)
        .service(users::update_user)
        .service(user_state::archive_user)
        .service(user_state::restore_user)
        .service(user_state::reset_password)
        .service(user_grants::read_user_grants)
        .service(user_grants::replace_user_grants)
        .service(user_sessions::list_user_sessions)
        .service(user_sessions::end_user_sessions);
}
