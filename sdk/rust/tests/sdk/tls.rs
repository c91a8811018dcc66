use arkitect::{Context, Status, Tls, Worker};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value;

use crate::support::{Server, client, ends, start, task};

struct Signed {
    certificate: String,
    key: String,
}

/// OpenSSL takes a certificate whose issuer has its own name for one that signed itself.
fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = named("authority.test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn sign(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Signed {
    let key = KeyPair::generate().expect("a key");
    let certificate = named(name).signed_by(&key, authority).expect("a certificate").pem();
    Signed {
        certificate,
        key: key.serialize_pem(),
    }
}

#[tokio::test]
async fn worker_and_client_speak_tls_and_show_their_certificates() {
    let authority = authority();
    let files = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, pem: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, pem).expect("a file");
        path.into_os_string().into_string().expect("a plain path")
    };
    let ours = sign(&authority, "server.test");
    let server = Server::start(&[
        ("GRPC_TLS_CERT_FILE", &write("server.pem", &ours.certificate)),
        ("GRPC_TLS_KEY_FILE", &write("server.key", &ours.key)),
        ("GRPC_TLS_CLIENT_CA_FILE", &write("authority.pem", &authority.pem())),
    ]);
    let theirs = sign(&authority, "client.test");
    let tls = Tls {
        ca_pem: Some(authority.pem().into_bytes()),
        client_pem: Some((theirs.certificate.into_bytes(), theirs.key.into_bytes())),
        server_name: Some("server.test".into()),
    };

    let options = server.options().tls(tls.clone());
    let mut worker = Worker::new("secret").connect(options.clone());
    worker.handle("tls", |_context: Context, _parameters: Value| async { Ok(()) });
    let worker = start(worker).await;
    let client = client(&options);
    let id = client.create(task("tls")).await.expect("a task").id;
    assert_eq!(ends(&client, &id).await.status, Status::Completed);
    worker.stop().await;

    let stranger = crate::support::client(&server.options().tls(Tls {
        client_pem: None,
        ..tls
    }));
    assert_eq!(
        stranger.get(&id).await.expect_err("it shows no certificate").code(),
        "UNAVAILABLE"
    );
}
