//! What must hold of every world.

use stateright::Property;
use types::Offset;

use crate::replicas::model::ReplicasModel;
use crate::replicas::world::World;

type Check = fn(&ReplicasModel, &World) -> bool;

pub fn all() -> Vec<Property<ReplicasModel>> {
    let always: [(&'static str, Check); 5] = [
        ("whoever leads holds everything that was committed", leaders_hold_what_is_committed),
        ("whoever may be elected holds everything that was committed", members_hold_it),
        ("below its high watermark a replica holds what was committed", logs_agree),
        ("a leader that says it knows the end of the log does", ends_do_not_go_back),
        ("nobody sees what must not be", |_, world| world.broken.is_none()),
    ];
    let sometimes: [(&'static str, Check); 4] = [
        ("records of two reigns are committed", |_, world| {
            let mut epochs = world.committed.iter().map(|record| record.epoch);
            epochs.next().is_some_and(|first| epochs.any(|epoch| epoch != first))
        }),
        ("an eligible leader waits", |_, world| world.metadata.elr().next().is_some()),
        ("logs differ", |_, world| {
            let [a, b, _] = &world.brokers;
            let (a, b) = (&a.disk.records, &b.disk.records);
            !a.starts_with(b) && !b.starts_with(a)
        }),
        ("a member that left is back", |_, world| {
            world.metadata.isr().count() == 3 && world.metadata.partition_epoch > 1
        }),
    ];
    let always = always.map(|(name, check)| Property::always(name, check));
    let sometimes = sometimes.map(|(name, check)| Property::sometimes(name, check));
    always.into_iter().chain(sometimes).collect()
}

fn leaders_hold_what_is_committed(_: &ReplicasModel, world: &World) -> bool {
    world.metadata.leader.is_none_or(|leader| {
        let broker = &world.brokers[leader.0 as usize];
        broker.is_wiped || broker.disk.records.starts_with(&world.committed)
    })
}

fn members_hold_it(_: &ReplicasModel, world: &World) -> bool {
    world.metadata.isr().chain(world.metadata.elr()).all(|member| {
        let broker = &world.brokers[member.0 as usize];
        broker.is_wiped || broker.disk.records.starts_with(&world.committed)
    })
}

fn logs_agree(_: &ReplicasModel, world: &World) -> bool {
    world.brokers.iter().all(|broker| {
        let Some(process) = &broker.process else { return true };
        let shown = process.replica.high_watermark().max(process.shown);
        let shown = (shown.min(broker.disk.log_end())).0 as usize;
        let committed = world.committed.get(..shown);
        committed.is_some_and(|committed| broker.disk.records.starts_with(committed))
    })
}

/// ListOffsets of the present leader never says less than what was committed (KIP-207).
fn ends_do_not_go_back(model: &ReplicasModel, world: &World) -> bool {
    if model.forgets_where_reigns_begin() {
        // It would be found out by this first, and the other damage is what is looked for.
        return true;
    }
    let leader = world.metadata.leader.map(|leader| &world.brokers[leader.0 as usize]);
    let leads = leader.and_then(|broker| broker.process.as_ref()?.replica.leader());
    let leads = leads.filter(|leads| leads.leader_epoch().0 == world.metadata.leader_epoch);
    leads.is_none_or(|leads| {
        !leads.knows_latest_offset()
            || leads.high_watermark() >= Offset(world.committed.len() as i64)
    })
}
