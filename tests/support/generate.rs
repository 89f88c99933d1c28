//! Everything that can be written, drawn at random: requests, replies, txns, packets, notifications, snapshots.
#![allow(dead_code, reason = "every test is a program of its own and uses a part of this")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use zabsim::zab::{self, Epoch, Message, Notification, Payload, PeerState, Sid, Txn, Vote, Zxid};
use zabsim::zk::model::*;
use zabsim::zk::wire::{Forwarded, Hello, Writer, write_acl};

/// So many values, the same every time.
pub fn samples<T>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("nothing here is rejected").current()).collect()
}

/// What a writer appends.
pub fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

fn path() -> impl Strategy<Value = String> {
    "/[a-z\u{e9}\u{1f600}]{0,8}"
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(path(), 0..4)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..50)
}

fn data() -> impl Strategy<Value = Option<Payload>> {
    option::of(bytes().prop_map(|bytes| Payload::new(&bytes)))
}

fn ids() -> impl Strategy<Value = Vec<Id>> {
    vec(("[a-z]{0,6}", "[a-z:]{0,9}").prop_map(|(scheme, id)| Id { scheme, id }), 0..4)
}

fn acls() -> impl Strategy<Value = Vec<Acl>> {
    let acl = (any::<i32>(), "[a-z]{1,6}", "[a-z:]{0,9}");
    vec(acl.prop_map(|(perms, scheme, id)| Acl { perms, id: Id { scheme, id } }), 0..4)
}

fn stats() -> impl Strategy<Value = Stat> {
    (any::<[i64; 4]>(), any::<[i32; 5]>(), any::<[i64; 2]>()).prop_map(|(longs, ints, last)| Stat {
        czxid: longs[0],
        mzxid: longs[1],
        ctime: longs[2],
        mtime: longs[3],
        version: ints[0],
        cversion: ints[1],
        aversion: ints[2],
        ephemeral_owner: last[0],
        data_length: ints[3],
        num_children: ints[4],
        pzxid: last[1],
    })
}

/// The first frame of a client.
pub fn connect_requests() -> impl Strategy<Value = ConnectRequest> {
    let password = prop_oneof![Just(std::vec::Vec::new()), vec(any::<u8>(), 16)];
    (any::<i32>(), any::<i64>(), any::<i32>(), any::<i64>(), password, any::<Option<bool>>()).prop_map(
        |(protocol_version, last_zxid_seen, timeout, session, password, read_only)| ConnectRequest {
            protocol_version,
            last_zxid_seen,
            timeout,
            session: SessionId(session),
            password,
            read_only,
        },
    )
}

/// The answer to it.
pub fn connect_responses() -> impl Strategy<Value = ConnectResponse> {
    (any::<[i32; 2]>(), any::<i64>(), any::<[u8; 16]>(), any::<Option<bool>>()).prop_map(
        |([protocol_version, timeout], session, password, read_only)| ConnectResponse {
            protocol_version,
            timeout,
            session: SessionId(session),
            password,
            read_only,
        },
    )
}

fn creates() -> impl Strategy<Value = Create> {
    let kind = select(vec![CreateKind::Create, CreateKind::Create2, CreateKind::Container, CreateKind::Ttl]);
    (kind, path(), data(), option::of(acls()), any::<i32>(), any::<i64>()).prop_map(
        |(kind, path, data, acl, flags, ttl)| {
            let ttl = if kind == CreateKind::Ttl { ttl } else { -1 };
            Create { kind, path, data, acl, flags, ttl }
        },
    )
}

fn multi_ops() -> impl Strategy<Value = MultiOp> {
    prop_oneof![
        creates().prop_map(MultiOp::Create),
        (path(), any::<i32>()).prop_map(|(path, version)| MultiOp::Delete { path, version }),
        (path(), data(), any::<i32>()).prop_map(|(path, data, version)| MultiOp::SetData { path, data, version }),
        (path(), any::<i32>()).prop_map(|(path, version)| MultiOp::Check { path, version }),
    ]
}

/// Every request there is.
pub fn requests() -> impl Strategy<Value = Request> {
    let reads = (0..8, path(), any::<bool>()).prop_map(|(which, path, watch)| match which {
        0 => Request::Exists { path, watch },
        1 => Request::GetData { path, watch },
        2 => Request::GetChildren { path, watch },
        3 => Request::GetChildren2 { path, watch },
        4 => Request::GetAcl { path },
        5 => Request::GetAllChildrenNumber { path },
        6 => Request::GetEphemerals { prefix: path },
        _ => Request::Sync { path },
    });
    let numbered = (0..7, path(), any::<i32>()).prop_map(|(which, path, number)| match which {
        0 => Request::Delete { path, version: number },
        1 => Request::Check { path, version: number },
        2 => Request::AddWatch { path, mode: number },
        3 => Request::CheckWatches { path, kind: number },
        4 => Request::RemoveWatches { path, kind: number },
        5 => Request::CreateSession { timeout: number },
        _ => Request::DeleteContainer { path },
    });
    let watches = (any::<i64>(), vec(texts(), 5), any::<bool>()).prop_map(|(relative_zxid, mut lists, is_second)| {
        let mut next = || lists.pop().unwrap_or_default();
        let (data, exist, child) = (next(), next(), next());
        let (persistent, persistent_recursive) = if is_second { (next(), next()) } else { (vec![], vec![]) };
        Request::SetWatches(SetWatches { relative_zxid, data, exist, child, persistent, persistent_recursive })
    });
    let multi_read = (path(), any::<bool>())
        .prop_map(|(path, is_data)| if is_data { MultiReadOp::GetData(path) } else { MultiReadOp::GetChildren(path) });
    let list = || option::of("[a-z0-9=:,]{0,20}");
    prop_oneof![
        3 => reads,
        3 => numbered,
        2 => creates().prop_map(Request::Create),
        1 => (path(), data(), any::<i32>()).prop_map(|(path, data, version)| Request::SetData { path, data, version }),
        1 => (path(), option::of(acls()), any::<i32>())
            .prop_map(|(path, acl, version)| Request::SetAcl { path, acl, version }),
        2 => vec(multi_ops(), 0..4).prop_map(Request::Multi),
        1 => vec(multi_read, 0..4).prop_map(Request::MultiRead),
        1 => (list(), list(), list(), any::<i64>()).prop_map(|(joining, leaving, members, config_id)| {
            Request::Reconfig { joining, leaving, members, config_id }
        }),
        1 => (any::<i32>(), "[a-z]{0,6}", bytes()).prop_map(|(kind, scheme, auth)| Request::Auth { kind, scheme, auth }),
        1 => bytes().prop_map(|token| Request::Sasl { token }),
        2 => watches,
        1 => select(vec![Request::Ping, Request::WhoAmI, Request::CloseSession]),
    ]
}

fn multi_results() -> impl Strategy<Value = MultiResult> {
    prop_oneof![
        path().prop_map(MultiResult::Created),
        (path(), stats()).prop_map(|(path, stat)| MultiResult::Created2 { path, stat: Some(stat) }),
        Just(MultiResult::Deleted),
        stats().prop_map(MultiResult::Set),
        Just(MultiResult::Checked),
        texts().prop_map(MultiResult::Children),
        (data(), stats()).prop_map(|(data, stat)| MultiResult::Data { data, stat }),
        any::<i32>().prop_map(MultiResult::Error),
    ]
}

/// Every response there is, with an operation that it answers.
fn responses() -> impl Strategy<Value = (OpCode, Option<Response>)> {
    let of = |ops: &[OpCode]| select(ops.to_vec());
    use OpCode::*;
    let info = ("[a-z]{0,6}", "[a-z]{0,6}").prop_map(|(auth_scheme, user)| ClientInfo { auth_scheme, user });
    prop_oneof![
        (of(&[Create, Sync]), path()).prop_map(|(op, path)| (op, Some(Response::Path(path)))),
        (of(&[Create2, CreateContainer, CreateTtl]), path(), stats())
            .prop_map(|(op, path, stat)| (op, Some(Response::Created { path, stat }))),
        (of(&[Exists, SetData, SetAcl]), stats()).prop_map(|(op, stat)| (op, Some(Response::Stat(stat)))),
        (of(&[GetData, Reconfig]), data(), stats())
            .prop_map(|(op, data, stat)| (op, Some(Response::Data { data, stat }))),
        (acls(), stats()).prop_map(|(acl, stat)| (GetAcl, Some(Response::Acl { acl, stat }))),
        texts().prop_map(|children| (GetChildren, Some(Response::Children(children)))),
        (texts(), stats()).prop_map(|(children, stat)| (GetChildren2, Some(Response::Children2 { children, stat }))),
        any::<i32>().prop_map(|number| (GetAllChildrenNumber, Some(Response::AllChildrenNumber(number)))),
        texts().prop_map(|paths| (GetEphemerals, Some(Response::Ephemerals(paths)))),
        (of(&[Multi, MultiRead]), vec(multi_results(), 0..4))
            .prop_map(|(op, results)| (op, Some(Response::Multi(results)))),
        bytes().prop_map(|token| (Sasl, Some(Response::Token(token)))),
        Just((AddWatch, Some(Response::AddWatch))),
        vec(info, 0..4).prop_map(|infos| (WhoAmI, Some(Response::WhoAmI(infos)))),
        of(&[Delete, Ping, Auth, SetWatches, SetWatches2, CheckWatches, RemoveWatches, CloseSession])
            .prop_map(|op| (op, None)),
    ]
}

/// Every reply there is, with an operation that it answers.
pub fn replies() -> impl Strategy<Value = (OpCode, Reply)> {
    let error = prop_oneof![3 => Just(0), 1 => any::<i32>()];
    (responses(), any::<i32>(), any::<i64>(), error).prop_map(|((op, response), xid, zxid, error)| {
        (op, Reply { xid, zxid, error, response: response.filter(|_| error == 0) })
    })
}

/// Every event there is.
pub fn watch_events() -> impl Strategy<Value = WatchEvent> {
    use EventType::*;
    let kind = select(vec![NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged]);
    (kind, path()).prop_map(|(kind, path)| WatchEvent { kind, path })
}

fn create_txns() -> impl Strategy<Value = TxnBody> {
    (creates(), acls(), any::<bool>(), any::<i32>(), 0..5).prop_map(|(create, acl, ephemeral, parent_cversion, age)| {
        let parent_cversion = (age > 0 || create.kind != CreateKind::Create).then_some(parent_cversion);
        let ephemeral = ephemeral && matches!(create.kind, CreateKind::Create | CreateKind::Create2);
        let Create { kind, path, data, ttl, .. } = create;
        TxnBody::Create(CreateTxn { kind, path, data, acl, ephemeral, parent_cversion, ttl })
    })
}

fn bodies() -> impl Strategy<Value = TxnBody> {
    prop_oneof![
        3 => create_txns(),
        1 => path().prop_map(|path| TxnBody::Delete { path }),
        1 => path().prop_map(|path| TxnBody::DeleteContainer { path }),
        1 => (path(), data(), any::<i32>()).prop_map(|(path, data, version)| TxnBody::SetData { path, data, version }),
        1 => (path(), data(), any::<i32>()).prop_map(|(path, data, version)| TxnBody::Reconfig { path, data, version }),
        1 => (path(), acls(), any::<i32>()).prop_map(|(path, acl, version)| TxnBody::SetAcl { path, acl, version }),
        1 => (path(), any::<i32>()).prop_map(|(path, version)| TxnBody::Check { path, version }),
        1 => any::<i32>().prop_map(|timeout| TxnBody::CreateSession { timeout }),
        1 => texts().prop_map(|paths| TxnBody::CloseSession { paths: Some(paths) }),
        1 => any::<i32>().prop_map(TxnBody::Error),
    ]
}

/// Every txn there is.
pub fn txns() -> impl Strategy<Value = TxnRecord> {
    let old = Just(TxnBody::CloseSession { paths: None });
    let body = prop_oneof![6 => bodies(), 2 => vec(bodies(), 0..4).prop_map(TxnBody::Multi), 1 => old];
    let digest = option::of(any::<u64>().prop_map(|tree| TxnDigest { version: 2, tree }));
    (any::<i64>(), any::<i32>(), any::<i64>(), any::<i64>(), body, digest).prop_map(
        |(session, cxid, zxid, time, body, digest)| {
            let is_v0 = matches!(body, TxnBody::Create(CreateTxn { parent_cversion: None, .. }));
            TxnRecord {
                header: TxnHeader { session: SessionId(session), cxid, zxid: Zxid(zxid), time, kind: body.kind() },
                body,
                digest: digest.filter(|_| !is_v0),
            }
        },
    )
}

fn epochs() -> impl Strategy<Value = Epoch> {
    (0..=Epoch::LAST.0).prop_map(Epoch)
}

fn zxids() -> impl Strategy<Value = Zxid> {
    any::<i64>().prop_map(Zxid)
}

/// A write that a learner forwards.
pub fn forwarded() -> impl Strategy<Value = Payload> {
    let op = any::<i32>().prop_filter("a sync is another message", |op| *op != OpCode::Sync.code());
    (any::<i64>(), any::<i32>(), op, bytes(), ids()).prop_map(|(session, cxid, op, record, auth)| {
        Forwarded { session: SessionId(session), cxid, op, record: &record, auth }.to_payload()
    })
}

fn both_ways() -> impl Strategy<Value = Message> {
    prop_oneof![
        (zxids(), bytes()).prop_map(|(zxid, sessions)| Message::Ping { zxid, sessions: Payload::new(&sessions) }),
        bytes().prop_map(|what| Message::Revalidate(Payload::new(&what))),
    ]
}

/// Every message of a learner.
pub fn learner_messages() -> impl Strategy<Value = Message> {
    let info = || (any::<i64>(), epochs(), any::<u64>());
    prop_oneof![
        info().prop_map(|(sid, accepted_epoch, config_version)| {
            Message::FollowerInfo { sid: Sid(sid), accepted_epoch, config_version }
        }),
        info().prop_map(|(sid, accepted_epoch, config_version)| {
            Message::ObserverInfo { sid: Sid(sid), accepted_epoch, config_version }
        }),
        (zxids(), option::of(epochs()))
            .prop_map(|(last_zxid, current_epoch)| Message::AckEpoch { last_zxid, current_epoch }),
        zxids().prop_map(|zxid| Message::Ack { zxid }),
        forwarded().prop_map(|payload| Message::Request(zab::Request::Write(payload))),
        Just(Message::Request(zab::Request::Sync)),
        both_ways(),
    ]
}

fn leader_message() -> impl Strategy<Value = Message> {
    let txn = || (zxids(), bytes()).prop_map(|(zxid, payload)| Txn { zxid, payload: Payload::new(&payload) });
    prop_oneof![
        epochs().prop_map(|epoch| Message::LeaderInfo { epoch }),
        epochs().prop_map(|epoch| Message::NewLeader { epoch }),
        zxids().prop_map(|zxid| Message::Diff { zxid }),
        zxids().prop_map(|zxid| Message::Trunc { zxid }),
        zxids().prop_map(|zxid| Message::Commit { zxid }),
        txn().prop_map(|txn| Message::Proposal { txn }),
        txn().prop_map(|txn| Message::Inform { txn }),
        Just(Message::UpToDate),
        Just(Message::Sync),
        both_ways(),
    ]
}

/// Every message of a leader, a snapshot always whole and in one chunk.
pub fn leader_messages() -> impl Strategy<Value = Vec<Message>> {
    let snapshot = (zxids(), snapshots()).prop_map(|(zxid, body)| {
        vec![Message::Snap { zxid }, Message::SnapChunk { chunk: Payload::new(&body) }, Message::SnapDone]
    });
    let part = prop_oneof![6 => leader_message().prop_map(|message| vec![message]), 1 => snapshot];
    vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// The first bytes on the election port.
pub fn hellos() -> impl Strategy<Value = Hello> {
    prop_oneof![
        3 => (any::<i64>(), "[0-9.]{1,15}:[0-9]{1,5}")
            .prop_map(|(sid, address)| Hello { sid: Sid(sid), address: Some(address) }),
        1 => (0..=i64::MAX).prop_map(|sid| Hello { sid: Sid(sid), address: None }),
    ]
}

/// Every notification there is, with a configuration that has its version.
pub fn notifications() -> impl Strategy<Value = (Notification, String)> {
    let state = select(vec![PeerState::Looking, PeerState::Following, PeerState::Leading, PeerState::Observing]);
    (state, any::<i64>(), zxids(), any::<u32>(), any::<u64>(), any::<u64>()).prop_map(
        |(state, leader, zxid, epoch, round, config_version)| {
            let vote = Vote { leader: Sid(leader), zxid, peer_epoch: Epoch(epoch) };
            let text = format!("server.1=host:1:2:participant\nversion={config_version:x}");
            (Notification { state, vote, round, version: 2, config_version }, text)
        },
    )
}

/// A node as it stands in a snapshot, below the root.
#[derive(Clone, Debug)]
struct Node {
    name: String,
    data: Option<Payload>,
    acl: i64,
    stat: [i64; 6],
    ints: [i32; 3],
}

fn nodes() -> impl Strategy<Value = Node> {
    let acl = prop_oneof![3 => Just(-1i64), 1 => 1i64..4];
    ("[a-z]{1,3}", data(), acl, any::<[i64; 6]>(), any::<[i32; 3]>()).prop_map(|(name, data, acl, stat, ints)| Node {
        name,
        data,
        acl,
        stat,
        ints,
    })
}

/// The body of a snapshot: sessions, ACLs, a tree, and the `/` that ends it.
pub fn snapshots() -> impl Strategy<Value = Vec<u8>> {
    let sessions = vec((any::<i64>(), any::<i32>()), 0..4);
    let tables = (sessions, vec(acls(), 0..4));
    (tables, nodes(), vec(nodes(), 0..6), any::<bool>()).prop_map(|((sessions, acls), root, nodes, is_deep)| {
        written(|bytes| {
            let mut w = Writer::new(bytes);
            w.length(sessions.len());
            for (session, timeout) in &sessions {
                w.i64(*session);
                w.i32(*timeout);
            }
            w.length(acls.len());
            for (key, acl) in acls.iter().enumerate() {
                w.i64(key as i64 + 1);
                write_acl(&mut w, acl);
            }
            let mut paths = std::collections::BTreeSet::new();
            let mut path = String::new();
            write_node(&mut w, "", &root);
            for node in &nodes {
                let own = if is_deep { format!("{path}/{}", node.name) } else { format!("/{}", node.name) };
                if paths.insert(own.clone()) {
                    write_node(&mut w, &own, node);
                    path = own;
                }
            }
            w.text("/");
        })
    })
}

fn write_node(w: &mut Writer<'_>, path: &str, node: &Node) {
    w.text(path);
    w.buffer_or_null(node.data.as_ref().map(Payload::as_bytes));
    w.i64(node.acl);
    let [czxid, mzxid, ctime, mtime, owner, pzxid] = node.stat;
    [czxid, mzxid, ctime, mtime].into_iter().for_each(|long| w.i64(long));
    node.ints.into_iter().for_each(|int| w.i32(int));
    [owner, pzxid].into_iter().for_each(|long| w.i64(long));
}
