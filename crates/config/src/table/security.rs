//! TLS, SASL, tokens and authorization.
//!
//! No listener speaks TLS or SASL yet, and one that should is refused (`listeners.rs`), so the
//! properties below can only wait unused. What would be unsafe to ignore is refused here.

use crate::property::{
    Property, Rule, boolean, class, class_unset, double, int, int_unset, list, long, password,
    short, text, text_unset,
};

const NO_TLS: &str = "no listener speaks TLS yet";
const NO_SASL: &str = "no listener speaks SASL yet";
const NO_TOKENS: &str = "delegation tokens are not served yet";
const NO_ACLS: &str = "without an authorizer everybody would be let in";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    text("authorizer.class.name", "").low().refused(NO_ACLS)
        .doc("Who decides what a principal may do; empty means that everybody may do everything."),
    text_unset("super.users").accepted("there is no authorizer to bypass")
        .doc("Principals that may do everything."),
    boolean("allow.everyone.if.no.acl.found", "false").accepted("there is no authorizer")
        .doc("Whether a resource without rules is open to everybody."),
    class("principal.builder.class",
          "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder")
        .per_broker().accepted("no listener authenticates yet")
        .doc("A plug-in that names the principal of a connection."),
    text_unset("security.providers").low().accepted("there is no JVM")
        .doc("Java security providers to register."),
    long("connections.max.reauth.ms", "0").accepted(NO_SASL)
        .doc("How long a SASL session lasts before it must be renewed; 0 means for ever."),
    int("sasl.server.max.receive.size", "524288").accepted(NO_SASL)
        .doc("The largest message of a SASL exchange."),
    text("ssl.client.auth", "none").one_of(&["required", "requested", "none"]).per_broker()
        .accepted(NO_TLS)
        .doc("Whether clients must show a certificate."),
    text("ssl.principal.mapping.rules", "DEFAULT").low().accepted(NO_TLS)
        .doc("How a certificate's name becomes a principal."),
    boolean("ssl.allow.dn.changes", "false").low().accepted(NO_TLS)
        .doc("Whether a renewed certificate may change its name."),
    boolean("ssl.allow.san.changes", "false").low().accepted(NO_TLS)
        .doc("Whether a renewed certificate may lose alternative names."),
    text("ssl.protocol", "TLSv1.3").per_broker().accepted(NO_TLS)
        .doc("The preferred TLS version."),
    list("ssl.enabled.protocols", "TLSv1.2,TLSv1.3").per_broker().accepted(NO_TLS)
        .doc("The TLS versions on offer."),
    text_unset("ssl.provider").per_broker().accepted(NO_TLS)
        .doc("The Java security provider of TLS."),
    text("ssl.keystore.type", "JKS").per_broker().accepted(NO_TLS)
        .doc("The format of the key store."),
    text_unset("ssl.keystore.location").per_broker().accepted(NO_TLS)
        .doc("The file of the key store."),
    password("ssl.keystore.password").per_broker().accepted(NO_TLS)
        .doc("The password of the key store."),
    password("ssl.key.password").per_broker().accepted(NO_TLS)
        .doc("The password of the private key."),
    password("ssl.keystore.key").per_broker().accepted(NO_TLS)
        .doc("The private key itself, as PEM."),
    password("ssl.keystore.certificate.chain").per_broker().accepted(NO_TLS)
        .doc("The certificates themselves, as PEM."),
    text("ssl.truststore.type", "JKS").per_broker().accepted(NO_TLS)
        .doc("The format of the trust store."),
    text_unset("ssl.truststore.location").per_broker().accepted(NO_TLS)
        .doc("The file of the trust store."),
    password("ssl.truststore.password").per_broker().accepted(NO_TLS)
        .doc("The password of the trust store."),
    password("ssl.truststore.certificates").per_broker().accepted(NO_TLS)
        .doc("The trusted certificates themselves, as PEM."),
    text("ssl.keymanager.algorithm", "SunX509").per_broker().accepted(NO_TLS)
        .doc("The Java algorithm of the key manager."),
    text("ssl.trustmanager.algorithm", "PKIX").per_broker().accepted(NO_TLS)
        .doc("The Java algorithm of the trust manager."),
    text("ssl.endpoint.identification.algorithm", "https").low().per_broker().accepted(NO_TLS)
        .doc("How a server's certificate is matched with its address; empty turns it off."),
    text_unset("ssl.secure.random.implementation").low().per_broker().accepted(NO_TLS)
        .doc("The Java source of randomness."),
    list("ssl.cipher.suites", "").per_broker().accepted(NO_TLS)
        .doc("The cipher suites on offer; empty means all that are safe."),
    class_unset("ssl.engine.factory.class").low().per_broker().accepted(NO_TLS)
        .doc("A plug-in that makes TLS engines."),
    list("sasl.enabled.mechanisms", "GSSAPI").per_broker().accepted(NO_SASL)
        .doc("The SASL mechanisms on offer."),
    text("sasl.mechanism.inter.broker.protocol", "GSSAPI").per_broker().accepted(NO_SASL)
        .doc("The SASL mechanism between brokers."),
    text("sasl.mechanism.controller.protocol", "GSSAPI").high().accepted(NO_SASL)
        .doc("The SASL mechanism between controllers."),
    password("sasl.jaas.config").per_broker().accepted(NO_SASL)
        .doc("Login modules and their credentials, in JAAS syntax."),
    class_unset("sasl.server.callback.handler.class").accepted(NO_SASL)
        .doc("A plug-in that checks credentials."),
    class_unset("sasl.client.callback.handler.class").accepted(NO_SASL)
        .doc("A plug-in that supplies credentials."),
    class_unset("sasl.login.class").accepted(NO_SASL)
        .doc("A plug-in that logs in."),
    class_unset("sasl.login.callback.handler.class").accepted(NO_SASL)
        .doc("A plug-in that answers a login's questions."),
    list("sasl.kerberos.principal.to.local.rules", "DEFAULT").per_broker().accepted(NO_SASL)
        .doc("How a Kerberos principal becomes a short name."),
    text_unset("sasl.kerberos.service.name").per_broker().accepted(NO_SASL)
        .doc("The Kerberos name under which brokers run."),
    text("sasl.kerberos.kinit.cmd", "/usr/bin/kinit").per_broker().accepted(NO_SASL)
        .doc("The command that renews Kerberos tickets."),
    double("sasl.kerberos.ticket.renew.window.factor", "0.8").per_broker().accepted(NO_SASL)
        .doc("The share of a ticket's life after which it is renewed."),
    double("sasl.kerberos.ticket.renew.jitter", "0.05").per_broker().accepted(NO_SASL)
        .doc("How much that time varies."),
    long("sasl.kerberos.min.time.before.relogin", "60000").per_broker().accepted(NO_SASL)
        .doc("The least time between two renewals."),
    double("sasl.login.refresh.window.factor", "0.8").per_broker().accepted(NO_SASL)
        .doc("The share of a credential's life after which it is renewed."),
    double("sasl.login.refresh.window.jitter", "0.05").per_broker().accepted(NO_SASL)
        .doc("How much that time varies."),
    short("sasl.login.refresh.min.period.seconds", "60").per_broker().accepted(NO_SASL)
        .doc("The least time before a credential is renewed."),
    short("sasl.login.refresh.buffer.seconds", "300").per_broker().accepted(NO_SASL)
        .doc("The time before its end within which a credential must have been renewed."),
    int_unset("sasl.login.connect.timeout.ms").low().accepted(NO_SASL)
        .doc("How long connecting to the provider of tokens may take."),
    int_unset("sasl.login.read.timeout.ms").low().accepted(NO_SASL)
        .doc("How long the provider's answer may take."),
    long("sasl.login.retry.backoff.ms", "100").low().accepted(NO_SASL)
        .doc("The first pause before the provider is asked again."),
    long("sasl.login.retry.backoff.max.ms", "10000").low().accepted(NO_SASL)
        .doc("The longest such pause."),
    class("sasl.oauthbearer.jwt.retriever.class",
          "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever").accepted(NO_SASL)
        .doc("A plug-in that fetches tokens."),
    class("sasl.oauthbearer.jwt.validator.class",
          "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator").accepted(NO_SASL)
        .doc("A plug-in that checks tokens."),
    text_unset("sasl.oauthbearer.scope").accepted(NO_SASL)
        .doc("The scope to ask for."),
    text_unset("sasl.oauthbearer.client.credentials.client.id").accepted(NO_SASL)
        .doc("The id this client logs in with."),
    password("sasl.oauthbearer.client.credentials.client.secret").accepted(NO_SASL)
        .doc("The secret this client logs in with."),
    text("sasl.oauthbearer.assertion.algorithm", "RS256")
        .rule(Rule::OneOfIgnoringCase(&["ES256", "RS256"])).accepted(NO_SASL)
        .doc("How assertions are signed."),
    text_unset("sasl.oauthbearer.assertion.claim.aud").accepted(NO_SASL)
        .doc("The audience of an assertion."),
    int("sasl.oauthbearer.assertion.claim.exp.seconds", "300").between(0, 86_400).low()
        .accepted(NO_SASL)
        .doc("How long an assertion is valid."),
    text_unset("sasl.oauthbearer.assertion.claim.iss").accepted(NO_SASL)
        .doc("The issuer of an assertion."),
    boolean("sasl.oauthbearer.assertion.claim.jti.include", "false").accepted(NO_SASL)
        .doc("Whether an assertion carries its own id."),
    int("sasl.oauthbearer.assertion.claim.nbf.seconds", "60").between(0, 3600).low()
        .accepted(NO_SASL)
        .doc("How long before its making an assertion is already valid."),
    text_unset("sasl.oauthbearer.assertion.claim.sub").accepted(NO_SASL)
        .doc("The subject of an assertion."),
    text_unset("sasl.oauthbearer.assertion.file").accepted(NO_SASL)
        .doc("A file with a finished assertion."),
    text_unset("sasl.oauthbearer.assertion.private.key.file").accepted(NO_SASL)
        .doc("The key that signs assertions."),
    password("sasl.oauthbearer.assertion.private.key.passphrase").accepted(NO_SASL)
        .doc("The passphrase of that key."),
    text_unset("sasl.oauthbearer.assertion.template.file").accepted(NO_SASL)
        .doc("A file with fixed parts of assertions."),
    text("sasl.oauthbearer.scope.claim.name", "scope").low().accepted(NO_SASL)
        .doc("The claim that holds a token's scopes."),
    text("sasl.oauthbearer.sub.claim.name", "sub").low().accepted(NO_SASL)
        .doc("The claim that holds a token's subject."),
    text_unset("sasl.oauthbearer.token.endpoint.url").accepted(NO_SASL)
        .doc("Where tokens are fetched."),
    text_unset("sasl.oauthbearer.jwks.endpoint.url").accepted(NO_SASL)
        .doc("Where the keys that sign tokens are published."),
    long("sasl.oauthbearer.jwks.endpoint.refresh.ms", "3600000").low().accepted(NO_SASL)
        .doc("How often those keys are read again."),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "100").low().accepted(NO_SASL)
        .doc("The first pause before that is tried again."),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "10000").low().accepted(NO_SASL)
        .doc("The longest such pause."),
    int("sasl.oauthbearer.clock.skew.seconds", "30").low().accepted(NO_SASL)
        .doc("How far clocks may differ when a token's times are checked."),
    list("sasl.oauthbearer.expected.audience", "").low().accepted(NO_SASL)
        .doc("The audiences a token may name."),
    text_unset("sasl.oauthbearer.expected.issuer").low().accepted(NO_SASL)
        .doc("The issuer a token must name."),
    password("delegation.token.secret.key").accepted(NO_TOKENS)
        .doc("The secret from which delegation tokens are made."),
    long("delegation.token.max.lifetime.ms", "604800000").at_least(1).accepted(NO_TOKENS)
        .doc("The longest life of a delegation token."),
    long("delegation.token.expiry.time.ms", "86400000").at_least(1).accepted(NO_TOKENS)
        .doc("How long a delegation token lives until it must be renewed."),
    long("delegation.token.expiry.check.interval.ms", "3600000").at_least(1).low()
        .accepted(NO_TOKENS)
        .doc("How often expired delegation tokens are removed."),
    password("password.encoder.secret").low().accepted("Kafka 4.0 removed it")
        .doc("The secret under which ZooKeeper kept passwords."),
];
