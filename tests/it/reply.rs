//! What came back, and what a test expects of it.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    pub text: String,
}

/// The id of what was created.
pub fn id(reply: &Reply) -> Uuid {
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body["id"].as_str().unwrap().parse().unwrap()
}

impl Reply {
    pub async fn of(response: reqwest::Response) -> Self {
        Self::read(response).await.unwrap()
    }

    /// Fails where the connection ends before the answer does.
    pub async fn read(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let text = response.text().await?;
        Ok(Self {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        })
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Fails unless this is a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        self.body
    }
}

impl Reply {
    /// Fails unless the status is a success or a "no such session" of a read that found nothing.
    #[track_caller]
    pub fn expect_success(self) {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
    }
}
