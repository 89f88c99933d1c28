//! One conversation, made by hand, in all three pictures.

use super::*;
use crate::sim::{Fault, LinkKey, Loss, Packet, PacketKind};
use crate::zab::{Epoch, Instant, Milestone, Notification, PeerState, Phase, Sid, Vote, Zxid};

/// p3 leads, p1 follows, p2 crashes: one txn.
fn conversation() -> Vec<Moment> {
    let p = |n: usize| Node::at(n - 1);
    let zxid = Zxid::new(Epoch(1), 1);
    let link = LinkKey { dialer: p(1), acceptor: p(3), generation: 1 };
    let packet = |kind| Packet { kind, zxid, epoch: None, digest: 7 };
    let vote = Vote { leader: Sid(3), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
    let notification = Notification { state: PeerState::Looking, vote, round: 1, version: 2, config_version: 0 };
    let entered = |node, state| Event::Milestone {
        node,
        milestone: Milestone::Entered { state, phase: Phase::Broadcast, epoch: Some(Epoch(1)) },
    };
    let steps = [
        vec![Event::Started { node: p(1) }],
        vec![Event::Started { node: p(2) }, Event::Started { node: p(3) }],
        vec![Event::NotificationSent { from: p(3), to: p(1), notification }],
        vec![Event::NotificationReceived { from: p(3), to: p(1), notification, replayed: false }],
        vec![Event::LinkOpened { link }],
        vec![entered(p(3), PeerState::Leading), entered(p(1), PeerState::Following)],
        vec![Event::Sent { link, from: p(3), packet: packet(PacketKind::Proposal) }],
        vec![Event::Crashed { node: p(2), loss: Loss::Process, inside: false }],
        vec![
            Event::Received { link, to: p(1), packet: packet(PacketKind::Proposal) },
            Event::Sent { link, from: p(1), packet: packet(PacketKind::Ack) },
        ],
        vec![Event::CloseNoticed { link, at: p(3) }],
    ];
    let mut moments = Vec::new();
    for (i, events) in (1..).zip(steps) {
        moments.extend(events.into_iter().map(|event| Moment { step: i, at: Instant(i * 1_234_567), event }));
    }
    moments
}

fn text(pick: Pick) -> String {
    let mut diagram = TextDiagram::new(3, pick);
    let heading = diagram.heading();
    let lines = conversation().iter().filter_map(|moment| diagram.line(moment)).collect::<Vec<_>>();
    format!("{heading}\n{}", lines.join("\n"))
}

#[test]
fn a_conversation_in_text() {
    insta::assert_snapshot!(text(Pick::default()), @r"
    step        time     p1      p2      p3     what happened
       1    0.001234     +                      p1 starts
       2    0.002469     ┊       +              p2 starts
                         ┊       ┊       +      p3 starts
       3    0.003703     ┊<╌╌╌╌╌╌┊╌╌╌╌╌╌╌o      p3 notifies p1: LOOKING, round 1, votes for p3 (e0, 0:0)
       4    0.004938     ◀───────┼───────┤      p1 hears from p3: LOOKING, round 1, votes for p3 (e0, 0:0)
       5    0.006172     ╞═══════┊═══════╡      p1 is connected to p3 (p1>p3#1)
       6    0.007407     ┊       ┊       *      p3 is LEADING in broadcast, e1
                         *       ┊       ║      p1 is FOLLOWING in broadcast, e1
       7    0.008641     │<╌╌╌╌╌╌┊╌╌╌╌╌╌╌o      p3 sends p1 PROPOSAL 1:1
       8    0.009876     │       X       ║      p2 crashes: the process is killed
       9    0.011111     ◀───────────────┤      p1 gets PROPOSAL 1:1 from p3
                         o╌╌╌╌╌╌╌╌╌╌╌╌╌╌>║      p1 sends p3 ACK 1:1
      10    0.012345     │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄x      p3 notices that its link to p1 is gone
    ");
}

#[test]
fn what_happened_is_wrapped_beside_its_lanes() {
    let mut diagram = TextDiagram::new(3, Pick::default()).within(Some(70));
    let lines: Vec<String> = conversation().iter().filter_map(|moment| diagram.line(moment)).collect();
    insta::assert_snapshot!(format!("{}\n{}", diagram.heading(), lines[3..6].join("\n")), @r"
    step        time   p1   p2   p3    what happened
       3    0.003703    ┊<╌╌╌┊╌╌╌╌o    p3 notifies p1: LOOKING, round
                        ┊    ┊    ┊      1, votes for p3 (e0, 0:0)
       4    0.004938    ◀────┼────┤    p1 hears from p3: LOOKING, round
                        ┊    ┊    ┊      1, votes for p3 (e0, 0:0)
       5    0.006172    ╞════┊════╡    p1 is connected to p3 (p1>p3#1)
    ");
    assert!(lines.iter().flat_map(|line| line.lines()).all(|line| line.chars().count() <= 70), "{lines:#?}");
}

#[test]
fn a_packet_that_overtakes_goes_from_its_sender_to_its_receiver() {
    let link = LinkKey { dialer: Node::at(0), acceptor: Node::at(2), generation: 1 };
    let faults = [Fault::Overtaken { link, to: Node::at(0), skip: 2 }, Fault::Reset { link, lost: 1 }];
    let mut moments = conversation();
    moments.extend(faults.map(|fault| Moment { step: 11, at: Instant(12_345_678), event: Event::Fault(fault) }));
    let mut diagram = TextDiagram::new(3, Pick::default());
    let lines: Vec<String> = moments.iter().filter_map(|moment| diagram.line(moment)).collect();
    insta::assert_snapshot!(lines[lines.len() - 2..].join("\n"), @r"
    11    0.012345     │<««««««««««««««!      a packet from p3 to p1 overtakes 2 others (p1>p3#1)
                       !┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄!      the link p1>p3#1 is reset, 1 packet is lost
    ");
    let pick = Pick::default().span(11..=11);
    assert!(
        svg("x", 3, &moments, &pick, &[]).contains("d=\"M680 104 L247 104\""),
        "{}",
        svg("x", 3, &moments, &pick, &[])
    );
}

#[test]
fn filters_hide_events_but_not_what_they_did_to_the_lanes() {
    let pick = Pick::default().messages(&["proposal".into()]).unwrap();
    insta::assert_snapshot!(text(pick), @r"
    step        time     p1      p2      p3     what happened
       7    0.008641     │<╌╌╌╌╌╌┊╌╌╌╌╌╌╌o      p3 sends p1 PROPOSAL 1:1
       9    0.011111     ◀───────────────┤      p1 gets PROPOSAL 1:1 from p3
    ");
    let pick = Pick::default().peers(&[Node::at(1)]).without(&["PING".into()]).unwrap().span(3..=8);
    insta::assert_snapshot!(text(pick), @r"
    step        time     p1      p2      p3     what happened
       8    0.009876     │       X       ║      p2 crashes: the process is killed
    ");
    let error = Pick::default().messages(&["proposl".into()]).unwrap_err();
    assert!(error.to_string().contains("did you mean PROPOSAL?"), "{error}");
}

#[test]
fn a_tail_is_the_end_of_the_whole() {
    let mut tail = Tail::new(3, 4);
    conversation().into_iter().for_each(|moment| tail.push(moment));
    let whole = text(Pick::default());
    let end = whole.lines().rev().take(3).collect::<Vec<_>>();
    assert_eq!(tail.text(None).lines().rev().take(3).collect::<Vec<_>>(), end);
    assert_eq!((tail.text(None).lines().count(), tail.first_step()), (5, 8));
}

#[test]
fn every_line_has_its_columns_at_the_same_place() {
    let width = |line: &str| line.chars().count();
    for line in text(Pick::default()).lines().skip(1) {
        let lanes: String = line.chars().take(19 + 2 + 24).collect();
        assert!(width(line) > width(&lanes) && width(&lanes) == 45, "{line}");
        assert_eq!(line.chars().skip(45).take(2).collect::<String>(), "  ", "{line}");
    }
}

#[test]
fn a_conversation_in_mermaid() {
    insta::assert_snapshot!(mermaid("a; #1", 3, &conversation(), &Pick::default()), @r"
    sequenceDiagram
        title a#59; #35;1
        participant p1
        participant p2
        participant p3
        %% step 1 at 0.001234567s
        Note over p1: p1 starts
        %% step 2 at 0.002469134s
        Note over p2: p2 starts
        Note over p3: p3 starts
        %% step 4 at 0.004938268s
        p3->>p1: LOOKING, round 1, votes for p3 (e0, 0:0)
        %% step 5 at 0.006172835s
        Note over p1,p3: p1 is connected to p3 (p1#gt;p3#35;1)
        %% step 6 at 0.007407402s
        Note over p3: p3 is LEADING in broadcast, e1
        Note over p1: p1 is FOLLOWING in broadcast, e1
        %% step 8 at 0.009876536s
        Note over p2: p2 crashes: the process is killed
        %% step 9 at 0.011111103s
        p3->>p1: PROPOSAL 1:1
        %% step 10 at 0.012345670s
        Note over p1,p3: p3 notices that its link to p1 is gone
    ");
}

#[test]
fn an_svg_is_well_formed_and_its_arrows_are_slanted() {
    let picture = svg("leader & <co>", 3, &conversation(), &Pick::default(), &[]);
    assert_well_formed(&picture);
    assert!(picture.contains("leader &amp; &lt;co&gt;"));
    let proposal = picture.lines().find(|line| line.contains("p1 gets PROPOSAL 1:1 from p3")).unwrap();
    insta::assert_snapshot!(proposal, @r#"<path class="m txn" d="M680 290 L247 330" marker-end="url(#txn)"><title>p1 gets PROPOSAL 1:1 from p3</title></path>"#);
}

/// Elements nest, attributes are quoted, text holds no bare `<` or `&`.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        for (i, _) in text.match_indices('&') {
            assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|e| text[i + 1..].starts_with(e)), "{text}");
        }
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap().to_owned();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert_eq!(tag.matches("=\"").count(), tag.matches('"').count() / 2, "{tag}");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
}
