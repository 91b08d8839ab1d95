//! Secrets among the settings: given as themselves, or in a file that only we can read.

use std::fs;

use secrecy::SecretString;

use super::reader::Reader;

impl Reader<'_> {
    /// The secret `name`, or the text of the file that `name_file` says: at least 32 characters.
    pub(super) fn secret(&mut self, name: &str, required: bool) -> SecretString {
        let checked = self.given(name).and_then(|(setting, text)| {
            let left_out = text.is_empty() && !required;
            if left_out || text.len() >= 32 {
                Ok(text)
            } else {
                Err(format!("{setting}: must be at least 32 characters long"))
            }
        });
        self.noted(checked).into()
    }

    /// The password for database URLs that have none; empty where no file has it.
    pub(super) fn database_password(&mut self) -> String {
        let setting = "database.password_file";
        let path = self.text(setting);
        let read = if path.is_empty() {
            Ok(path)
        } else {
            in_file(setting, &path)
        };
        self.noted(read)
    }

    /// Which of the two settings has the secret, and the secret; empty where neither is set.
    fn given(&mut self, name: &str) -> Result<(String, String), String> {
        let setting = format!("{name}_file");
        let (text, path) = (self.text(name), self.text(&setting));
        match (text.is_empty(), path.is_empty()) {
            (_, true) => Ok((name.to_owned(), text)),
            (true, false) => in_file(&setting, &path).map(|text| (setting, text)),
            (false, false) => Err(format!("{name} and {setting} are both set: keep one")),
        }
    }

    fn noted(&mut self, read: Result<String, String>) -> String {
        read.unwrap_or_else(|problem| {
            self.problems.push(problem);
            String::new()
        })
    }
}

/// The text without the line's end, which editors and `echo` add.
fn in_file(setting: &str, path: &str) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{setting} = {path:?}: {e}"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("{setting} = {path:?}: the file is empty")),
        text => Ok(text.to_owned()),
    }
}

/// The URL, with the password where it says none. As a parameter, which `PostgreSQL` takes in every
/// kind of URL, those with several hosts or a socket included.
pub(super) fn with_password(url: String, password: &str) -> SecretString {
    let (authority, parameters) = url.split_once('?').unwrap_or((&url, ""));
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let user = user.split_once("://").map_or("", |(_, user)| user);
    let own = user.contains(':') || parameters.split('&').any(|p| p.starts_with("password="));
    if own || password.is_empty() {
        return url.into();
    }
    let mark = if url.contains('?') { '&' } else { '?' };
    let escaped: String = password.bytes().map(|b| format!("%{b:02X}")).collect();
    format!("{url}{mark}password={escaped}").into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::with_password;

    #[test]
    fn a_url_without_a_password_is_given_one() {
        for (url, with) in [
            ("postgres://u@h/d", "postgres://u@h/d?password=%61%26"),
            ("postgres://h", "postgres://h?password=%61%26"),
            (
                "postgres:///d?host=/run",
                "postgres:///d?host=/run&password=%61%26",
            ),
            ("postgres://u:p@h/d", "postgres://u:p@h/d"),
            (
                "postgres://u@h:5432,i:5432/d",
                "postgres://u@h:5432,i:5432/d?password=%61%26",
            ),
            (
                "postgres:///d?user=u&password=p",
                "postgres:///d?user=u&password=p",
            ),
        ] {
            assert_eq!(with_password(url.into(), "a&").expose_secret(), with);
        }
        assert_eq!(
            with_password("postgres://h".into(), "").expose_secret(),
            "postgres://h"
        );
    }
}
