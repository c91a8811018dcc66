use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::error::{Error, Result, chain};

const DEFAULT_URL: &str = "127.0.0.1:50051";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection over which nothing comes for this long while a call waits is asked whether it still lives.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Pages of large tasks and batches of assignments pass gRPC's usual 4 MiB; the server sends at most 32 MiB.
pub(crate) const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// A channel that sends the token along.
pub(crate) type Authorized = InterceptedService<Channel, Token>;

/// Which server to talk to, and who is calling.
#[derive(Clone)]
pub struct ConnectOptions {
    url: String,
    token: Option<String>,
    tls: Option<Tls>,
}

/// What makes a connection secure.
#[derive(Clone, Default)]
pub struct Tls {
    /// PEM of the authorities that may have signed the server's certificate (those that the system trusts).
    pub ca_pem: Option<Vec<u8>>,
    /// PEM of the certificate, and of its key, by which the server knows this client (none).
    pub client_pem: Option<(Vec<u8>, Vec<u8>)>,
    /// The name in the server's certificate, if it is not that of the address.
    pub server_name: Option<String>,
}

impl ConnectOptions {
    /// `host:port`, `http://host:port`, or `https://host:port` for TLS.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            tls: None,
        }
    }

    /// From `ARKITECT_GRPC_URL` (127.0.0.1:50051) and `ARKITECT_TOKEN` (none).
    pub fn from_env() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            url: variable("ARKITECT_GRPC_URL").unwrap_or_else(|| DEFAULT_URL.to_owned()),
            token: variable("ARKITECT_TOKEN"),
            tls: None,
        }
    }

    /// Sends this token with every call (none).
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Uses TLS, also where the URL does not say `https` (only where it does).
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint> {
        let secure = self.tls.is_some() || self.url.starts_with("https://");
        let address = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, address)| address);
        let url = format!("{}://{address}", if secure { "https" } else { "http" });
        let wrong = |error| Error::options(format!("No connection can be made to {}: {}", self.url, chain(&error)));

        let endpoint = Endpoint::from_shared(url)
            .map_err(wrong)?
            .user_agent(crate::SDK)
            .map_err(wrong)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE / 2);
        if !secure {
            return Ok(endpoint);
        }
        endpoint
            .tls_config(self.tls.clone().unwrap_or_default().config())
            .map_err(wrong)
    }

    pub(crate) fn token_interceptor(&self) -> Result<Token> {
        let Some(token) = &self.token else {
            return Ok(Token(None));
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}")
            .parse()
            .map_err(|_| Error::options("The token holds characters that no token has."))?;
        value.set_sensitive(true);
        Ok(Token(Some(value)))
    }
}

impl Tls {
    fn config(self) -> ClientTlsConfig {
        let mut config = match self.ca_pem {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let Some((certificate, key)) = self.client_pem {
            config = config.identity(Identity::from_pem(certificate, key));
        }
        match self.server_name {
            Some(name) => config.domain_name(name),
            None => config,
        }
    }
}

// Written by hand so that no token and no key gets into a log.
impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// Puts the token into the metadata of every call.
#[derive(Debug, Clone)]
pub(crate) struct Token(Option<MetadataValue<Ascii>>);

impl Interceptor for Token {
    fn call(&mut self, mut request: tonic::Request<()>) -> std::result::Result<tonic::Request<()>, tonic::Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectOptions, Tls};

    #[test]
    fn an_address_needs_no_scheme_and_tls_makes_it_https() {
        let uri = |options: ConnectOptions| options.endpoint().expect("good options").uri().to_string();
        assert_eq!(uri(ConnectOptions::new("127.0.0.1:50051")), "http://127.0.0.1:50051/");
        assert_eq!(uri(ConnectOptions::new("http://[::1]:7")), "http://[::1]:7/");
        let named = Tls {
            server_name: Some("tasks.example".into()),
            ..Tls::default()
        };
        assert_eq!(
            uri(ConnectOptions::new("127.0.0.1:7").tls(named)),
            "https://127.0.0.1:7/"
        );
    }

    #[test]
    fn options_that_make_no_connection_say_so() {
        let error = ConnectOptions::new("not an address")
            .endpoint()
            .map(drop)
            .expect_err("no such address");
        assert_eq!(error.code(), "INVALID_OPTIONS");
        let error = ConnectOptions::new("h:1")
            .token("a\nb")
            .token_interceptor()
            .map(drop)
            .expect_err("no such token");
        assert_eq!(error.code(), "INVALID_OPTIONS");
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert!(!format!("{:?}", ConnectOptions::new("h:1").token("hunter2")).contains("hunter2"));
    }
}
