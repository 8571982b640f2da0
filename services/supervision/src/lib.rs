//! The supervision service (督办): tasks on the ledger, the assignment of each unit, and the
//! clocks of 13710.
//!
//! Where to look:
//! - the rules and the state machine: `domain-supervision`, which this service asks;
//! - the RPCs: `grpc/`; what they do: `app/`; the tables: `store/`;
//! - what happens by itself when a stage is due: `jobs/stages_due.rs`, or an instruction:
//!   `jobs/instructions_due.rs`, or the figure of a target: `jobs/figures_due.rs`;
//! - what tasks are searched by: `jobs/searching.rs`, and what like tasks are looked up by:
//!   `store/likeness.rs`;
//! - what each leader is told when a division of work takes effect: `jobs/handovers.rs`.

mod app;
mod error;
mod grpc;
mod jobs;
mod record;
mod regulation;
mod store;

use std::sync::Arc;

use tonic::service::Routes;
use xietong_events::{Consumer, ConsumerParts};
use xietong_mesh::serve::MAX_BATCH_MESSAGE_BYTES;
use xietong_mesh::{Assembly, Foundation, Ground, Service, ServiceName};
use xietong_proto::supervision::archive_service_server::ArchiveServiceServer;
use xietong_proto::supervision::bulletin_service_server::BulletinServiceServer;
use xietong_proto::supervision::circumstance_service_server::CircumstanceServiceServer;
use xietong_proto::supervision::comment_service_server::CommentServiceServer;
use xietong_proto::supervision::cooperation_service_server::CooperationServiceServer;
use xietong_proto::supervision::delegation_service_server::DelegationServiceServer;
use xietong_proto::supervision::division_preview_service_server::DivisionPreviewServiceServer;
use xietong_proto::supervision::explain_service_server::ExplainServiceServer;
use xietong_proto::supervision::inspection_service_server::InspectionServiceServer;
use xietong_proto::supervision::instruction_service_server::InstructionServiceServer;
use xietong_proto::supervision::instrument_service_server::InstrumentServiceServer;
use xietong_proto::supervision::ledger_service_server::LedgerServiceServer;
use xietong_proto::supervision::matter_service_server::MatterServiceServer;
use xietong_proto::supervision::milestone_service_server::MilestoneServiceServer;
use xietong_proto::supervision::paper_service_server::PaperServiceServer;
use xietong_proto::supervision::rule_service_server::RuleServiceServer;
use xietong_proto::supervision::score_rule_service_server::ScoreRuleServiceServer;
use xietong_proto::supervision::side_road_service_server::SideRoadServiceServer;
use xietong_proto::supervision::target_service_server::TargetServiceServer;
use xietong_proto::supervision::task_service_server::TaskServiceServer;
use xietong_proto::supervision::unit_draft_service_server::UnitDraftServiceServer;
use xietong_store::StoreError;

use app::Supervision;
use grpc::{
    Archives, Bulletins, DivisionPreviews, Explanations, Inspections, Ledger, Matters, Papers, Rules,
    ScoreRules, Tasks,
};
use jobs::{
    BulletinsDue, Due, FiguresDue, Handovers, InstructionsDue, LikenessRefill, OneTask, Recounts, Searching,
    StagesDue,
};
use regulation::Regulations;

/// Puts the service together: its database at the newest schema, its RPCs, its copy of the
/// roster and its timers. Nothing runs yet.
pub async fn build(ground: Ground) -> Result<Service, StoreError> {
    let foundation = Foundation::lay(ground, store::MIGRATIONS).await?;
    let roster = foundation.roster_copy();
    let regulations = Arc::new(Regulations::built_in());
    regulations.current(foundation.db.reader()).await?;
    let app = Supervision {
        db: foundation.db.clone(),
        clock: foundation.clock.clone(),
        log: foundation.log.clone(),
        roster: roster.clone(),
        regulations: regulations.clone(),
    };
    let recounts = Arc::new(Recounts::new(app.clone(), foundation.transactions.clone(), &foundation.bus));
    let searching = Consumer::new(
        ConsumerParts {
            consumer: foundation.name.as_str().to_owned(),
            producer: foundation.name.as_str().to_owned(),
            db: foundation.db.clone(),
            source: Arc::new(foundation.log.clone()),
            handler: Arc::new(Searching(roster.clone())),
            committed: foundation.log.committed().clone(),
        },
        &foundation.bus,
    );
    let refill = LikenessRefill::new(foundation.db.clone());
    let explanations = ExplainServiceServer::new(Explanations::new(app.clone()));
    let rules = RuleServiceServer::new(Rules::new(app.clone(), foundation.transactions.clone()));
    let ledger = LedgerServiceServer::new(Ledger::new(app.clone()));
    let inspections =
        InspectionServiceServer::new(Inspections::new(app.clone(), foundation.transactions.clone()));
    let papers = PaperServiceServer::new(Papers::new(app.clone(), foundation.transactions.clone()));
    let matters = MatterServiceServer::new(Matters::new(app.clone(), foundation.transactions.clone()));
    let bulletins = BulletinServiceServer::new(Bulletins::new(app.clone(), foundation.transactions.clone()));
    let score_rules =
        ScoreRuleServiceServer::new(ScoreRules::new(app.clone(), foundation.transactions.clone()));
    let archives = ArchiveServiceServer::new(Archives::new(app.clone()));
    let tasks = Arc::new(Tasks::new(app, foundation.transactions.clone(), foundation.peers.clone()));
    let side_roads = SideRoadServiceServer::from_arc(tasks.clone());
    let instruments =
        InstrumentServiceServer::from_arc(tasks.clone()).max_decoding_message_size(MAX_BATCH_MESSAGE_BYTES);
    let circumstances = CircumstanceServiceServer::from_arc(tasks.clone());
    let milestones = MilestoneServiceServer::from_arc(tasks.clone());
    let targets = TargetServiceServer::from_arc(tasks.clone());
    let instructions = InstructionServiceServer::from_arc(tasks.clone());
    let comments = CommentServiceServer::from_arc(tasks.clone());
    let unit_drafts = UnitDraftServiceServer::from_arc(tasks.clone());
    let delegations = DelegationServiceServer::from_arc(tasks.clone());
    let cooperation =
        CooperationServiceServer::from_arc(tasks.clone()).max_decoding_message_size(MAX_BATCH_MESSAGE_BYTES);
    let tasks = TaskServiceServer::from_arc(tasks).max_decoding_message_size(MAX_BATCH_MESSAGE_BYTES);
    let stages_due =
        StagesDue::new(foundation.log.clone(), foundation.transactions.clone(), regulations.clone());
    let one_task = OneTask::new(foundation.log.clone(), foundation.transactions.clone(), regulations);
    let (instructions_due, figures_due) = (InstructionsDue(one_task.clone()), FiguresDue(one_task));
    let bulletins_due = BulletinsDue::new(foundation.log.clone(), foundation.transactions.clone());
    let previews = DivisionPreviewServiceServer::new(DivisionPreviews::new(foundation.db.clone()));
    let handovers = Handovers::new(foundation.log.clone(), foundation.transactions.clone());
    Ok(foundation.assemble(Assembly {
        routes: Routes::new(tasks)
            .add_service(side_roads)
            .add_service(instruments)
            .add_service(circumstances)
            .add_service(milestones)
            .add_service(targets)
            .add_service(rules)
            .add_service(explanations)
            .add_service(previews)
            .add_service(ledger)
            .add_service(papers)
            .add_service(bulletins)
            .add_service(score_rules)
            .add_service(archives)
            .add_service(matters)
            .add_service(inspections)
            .add_service(instructions)
            .add_service(comments)
            .add_service(unit_drafts)
            .add_service(delegations)
            .add_service(cooperation),
        copy: Some(roster),
        consumers: vec![(ServiceName::Roster, Arc::new(handovers))],
        others: Vec::new(),
        jobs: vec![recounts, Arc::new(searching), Arc::new(refill)],
        timers: Some(Arc::new(Due::new(stages_due, instructions_due, figures_due, bulletins_due))),
    }))
}
