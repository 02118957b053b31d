// SPDX-License-Identifier: Apache-2.0
//! The published pkarr crates as a peer of dotkey. Prints its versions, then reads one JSON object
//! a line and answers each with one:
//!   {"do":"encode",  "seed", "timestamp_us", "records":[{"name","ttl","type","data"}]}
//!   {"do":"publish", "seed", "timestamp_us", "records", "relay" | "bootstrap"}
//!   {"do":"resolve", "key", "policy", "relay" | "bootstrap"}
//!   {"do":"client"}               forgets the clients made so far, and with them their caches
//!   {"do":"testnet", "nodes"}     DHT nodes of their own, until the end
//!   {"do":"relay", "version":"2.1.0"|"0.9.0", "bootstrap", "folder"}    runs until the end
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use pkarr::dns::rdata::{SVCB, TXT};
use pkarr::dns::Name;
use pkarr::{Client, Keypair, PublicKey, ResolvePolicy, SignedPacket, Timestamp};
use serde_json::{json, Value};

type Failure = Box<dyn std::error::Error>;

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Failure> {
    request[name].as_str().ok_or_else(|| format!("{name} is missing").into())
}

fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    (0..text.len()).step_by(2).map(|i| Ok(u8::from_str_radix(&text[i..i + 2], 16)?)).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_pair(request: &Value) -> Result<Keypair, Failure> {
    let seed: [u8; 32] =
        from_hex(text(request, "seed")?)?.try_into().map_err(|_| "seed: 64 digits")?;
    Ok(Keypair::from_secret_key(&seed))
}

/// "1 target port=443 alpn=h2" with any of its parameters.
fn service(data: &str) -> Result<SVCB<'_>, Failure> {
    let mut words = data.split_whitespace();
    let priority = words.next().ok_or("no priority")?.parse()?;
    let mut out = SVCB::new(priority, Name::new(words.next().ok_or("no target")?)?);
    for word in words {
        let (name, value) = word.split_once('=').ok_or("a parameter has a value")?;
        match name {
            "port" => out.set_port(value.parse()?),
            _ => return Err(format!("unknown parameter {name}").into()),
        }
    }
    Ok(out)
}

fn signed(request: &Value) -> Result<SignedPacket, Failure> {
    let micros = request["timestamp_us"].as_u64().ok_or("timestamp_us is missing")?;
    let mut builder = SignedPacket::builder().timestamp(Timestamp::from(micros));
    for record in request["records"].as_array().ok_or("records is missing")? {
        let name = Name::new(text(record, "name")?)?;
        let ttl = record["ttl"].as_u64().ok_or("ttl is missing")? as u32;
        let data = text(record, "data")?;
        builder = match text(record, "type")? {
            "A" => builder.a(name, data.parse()?, ttl),
            "AAAA" => builder.aaaa(name, data.parse()?, ttl),
            "CNAME" => builder.cname(name, Name::new(data)?, ttl),
            "TXT" => builder.txt(name, TXT::new().with_string(data)?, ttl),
            "HTTPS" => builder.https(name, service(data)?, ttl),
            "SVCB" => builder.svcb(name, service(data)?, ttl),
            other => return Err(format!("unknown type {other}").into()),
        };
    }
    Ok(builder.sign(&key_pair(request)?)?)
}

fn shown(packet: &SignedPacket) -> Value {
    let records: Vec<String> =
        packet.all_resource_records().map(|r| format!("{} {}", r.name, r.ttl)).collect();
    json!({
        "key": packet.public_key().to_z32(),
        "timestamp_us": packet.timestamp().as_u64(),
        "canonical": to_hex(packet.as_bytes()),
        "records": records,
        "ttl": packet.ttl(300, 86_400),
        "expires_in": packet.expires_in(300, 86_400),
    })
}

/// Clients by network, so that a second question meets the first one's cache.
#[derive(Default)]
struct Clients(HashMap<String, Client>);

impl Clients {
    fn of(&mut self, request: &Value) -> Result<Client, Failure> {
        let network = request["relay"].as_str().or(request["bootstrap"].as_str());
        let network = network.ok_or("relay or bootstrap is missing")?.to_string();
        if let Some(known) = self.0.get(&network) {
            return Ok(known.clone());
        }
        let mut builder = Client::builder();
        builder.no_default_network();
        if request["relay"].is_string() {
            builder.relays(&[network.as_str()])?;
        } else {
            builder.bootstrap(&[network.as_str()]);
        }
        builder.relay_request_timeout(Duration::from_secs(10));
        let made = builder.build()?;
        self.0.insert(network, made.clone());
        Ok(made)
    }
}

async fn run_relay(request: &Value) -> Result<Value, Failure> {
    let bootstrap = [text(request, "bootstrap")?.to_string()];
    let folder = std::path::PathBuf::from(text(request, "folder")?);
    let port = match text(request, "version")? {
        "2.1.0" => {
            let mut builder = pkarr_relay::Relay::builder();
            builder.http_port(0).storage(folder).disable_rate_limiter();
            builder.dht(|config| {
                config.bootstrap =
                    Some(bootstrap.iter().filter_map(|text| text.parse().ok()).collect());
                config.bind_address = Some(Ipv4Addr::LOCALHOST);
                config
            });
            let relay = unsafe { builder.run() }.await?;
            let port = relay.relay_address().port();
            std::mem::forget(relay);
            port
        }
        "0.9.0" => {
            let mut builder = pkarr_relay_2025::Relay::builder();
            builder.http_port(0).storage(folder).disable_rate_limiter();
            builder.pkarr(|client| client.no_relays().bootstrap(&bootstrap));
            let relay = unsafe { builder.run() }.await?;
            let port = relay.relay_address().port();
            std::mem::forget(relay);
            port
        }
        other => return Err(format!("no relay {other} is built in").into()),
    };
    Ok(json!({ "relay": format!("http://127.0.0.1:{port}") }))
}

async fn answer(clients: &mut Clients, request: &Value) -> Result<Value, Failure> {
    match text(request, "do")? {
        "encode" => Ok(shown(&signed(request)?)),
        "publish" => {
            let packet = signed(request)?;
            match clients.of(request)?.publish(&packet).await {
                Ok(nodes) => Ok(json!({ "stored_nodes": nodes })),
                Err(error) => Ok(json!({ "publish_error": format!("{error:?}") })),
            }
        }
        "resolve" => {
            let key = PublicKey::try_from(text(request, "key")?)?;
            let policy: ResolvePolicy = text(request, "policy")?.parse()?;
            match clients.of(request)?.resolve(&key, policy).await {
                Ok(packet) => Ok(shown(&packet)),
                Err(error) => Ok(json!({ "resolve_error": format!("{error:?}") })),
            }
        }
        "client" => {
            clients.0.clear();
            Ok(json!({}))
        }
        "testnet" => {
            let nodes = request["nodes"].as_u64().ok_or("nodes is missing")? as usize;
            let testnet = mainline::Testnet::builder(nodes).build()?;
            let bootstrap = testnet.bootstrap.first().map(ToString::to_string);
            std::mem::forget(testnet);
            Ok(json!({ "bootstrap": bootstrap }))
        }
        "relay" => run_relay(request).await,
        other => Err(format!("unknown request {other}").into()),
    }
}

#[tokio::main]
async fn main() {
    let mut clients = Clients::default();
    println!("{}", json!({ "ready": true }));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let outcome = match serde_json::from_str::<Value>(&line) {
            Ok(request) => answer(&mut clients, &request).await,
            Err(error) => Err(error.into()),
        };
        println!("{}", outcome.unwrap_or_else(|error| json!({ "error": error.to_string() })));
        let _ = std::io::stdout().flush();
    }
}
