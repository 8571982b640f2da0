//! `BulletinService`: bulletins from draft to issue, and what units say against them.

use std::mem::take;

use domain_supervision::{Appeal, AppealState, Bulletin, BulletinState, Contested, Figure, PointKey};
use prost::Name;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::{decode_time, encode_time};
use xietong_mesh::input::{LINE, at_most, present};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Transactions, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::bulletin_service_server::BulletinService;

use super::check::{Check, is_id};
use super::decode::one_of;
use super::ledger::file::Pieces;
use super::ledger::scoreboard::{MOST_LINES, encode_figure, encode_line, encode_rule, rule_version};
use super::list;
use super::papers::{file, format, period};
use crate::app::{
    AskedOfBulletin, BULLETIN_TITLE, BulletinView, Drafting, ScoredLine, Supervision, unit_name, version_tag,
};

/// Sources of a figure that are named among many lines, and when one line is asked for.
const FEW_SOURCES: usize = 5;
const MANY_SOURCES: usize = 1_000;
/// Points that are corrected at once.
const MOST_CORRECTED: usize = 1_000;

/// Characters of a ground.
const GROUND: usize = 1_000;

/// `xietong.supervision.v1.BulletinService`.
pub(crate) struct Bulletins {
    app: Supervision,
    transactions: Transactions,
}

impl Bulletins {
    /// The RPCs over `app`.
    pub(crate) fn new(app: Supervision, transactions: Transactions) -> Self {
        Bulletins { app, transactions }
    }

    /// Does what is asked of a bulletin, once for a request id. `request` is without it.
    async fn change<M, R>(
        &self,
        call: &Call,
        request: &M,
        request_id: &str,
        (name, etag): (&str, &str),
        asked: AskedOfBulletin,
        answer: impl Fn(&Self, BulletinView) -> Result<R, Error>,
    ) -> Result<Response<R>, Status>
    where
        M: Name,
        R: prost::Message + Default,
    {
        self.app.prepare_change(call).await;
        let attempt = || async {
            // Scoring reads much: before the transaction, which others would wait for.
            let frozen = self.app.score_anew(call, name, &asked).await?;
            let mut transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let view = self.app.change_bulletin(&mut transaction, call, (name, etag), &asked, frozen).await?;
            transaction.commit(answer(self, view)?).await
        };
        Ok(Response::new(retried(etag, attempt).await?))
    }

    fn whole(&self, view: BulletinView) -> Result<proto::Bulletin, Error> {
        Ok(self.encode(view, FEW_SOURCES))
    }

    /// A bulletin with the lines of it that are shown.
    fn encode(&self, view: BulletinView, most: usize) -> proto::Bulletin {
        let BulletinView { bulletin, lines } = view;
        let book = self.app.roster.view().book;
        let shown = lines.into_iter().take(MOST_LINES).map(|(unit, line)| proto::BulletinLine {
            confirm_time: bulletin.units.get(&unit).copied().flatten().map(encode_time),
            score: Some(encode_line(
                ScoredLine { display_name: unit_name(&book, &unit).to_owned(), key: unit, rank: None, line },
                most,
            )),
        });
        let lines = shown.collect();
        proto::Bulletin { lines, ..encode_head(&bulletin) }
    }
}

#[async_trait]
impl BulletinService for Bulletins {
    type GetBulletinFileStream = Pieces;

    async fn create_bulletin(
        &self,
        request: Request<proto::CreateBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut check = Check::default();
        check.line("title", &request.title);
        check.name("leader", &request.leader, "officials");
        check.finish()?;
        let title = match request.title.trim() {
            "" => BULLETIN_TITLE,
            title => title,
        };
        let drafting = Drafting {
            period: period(request.start_time, request.end_time)?,
            title: title.to_owned(),
            leader: request.leader.clone(),
            rule_version: rule_version(request.rule_version)?,
        };
        let attempt = || async {
            // Scoring reads much: before the transaction, which others would wait for.
            let (period, frozen) = self.app.score_draft(&call, &drafting).await?;
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let view = self.app.create_bulletin(&transaction, &call, &drafting, period, frozen).await?;
            transaction.commit(self.whole(view)?).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    async fn get_bulletin(
        &self,
        request: Request<proto::GetBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let mut check = Check::default();
        check.name("name", &request.name, "bulletins");
        let unit = (!request.unit.is_empty()).then_some(request.unit.as_str());
        unit.iter().for_each(|unit| check.name("unit", unit, "units"));
        check.finish()?;
        let view = self.app.bulletin(&call, &request.name, unit).await?;
        let most = if unit.is_some() { MANY_SOURCES } else { FEW_SOURCES };
        Ok(Response::new(self.encode(view, most)))
    }

    async fn list_bulletins(
        &self,
        request: Request<proto::ListBulletinsRequest>,
    ) -> Result<Response<proto::ListBulletinsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let state = decode_state(request.state)?;
        let word = state.map_or("", BulletinState::as_str);
        let asked = ["ListBulletins", word];
        let paging = Paging::new(&asked, request.page_size, &request.page_token)?;
        let key = |(place, _): &(i64, Bulletin)| *place;
        let encode = |(_, bulletin): (i64, Bulletin)| Ok(encode_head(&bulletin));
        let read = |before, limit| self.app.bulletins(&call, state, before, limit);
        let (bulletins, next_page_token) = list::page(paging, key, encode, read).await?;
        Ok(Response::new(proto::ListBulletinsResponse { bulletins, next_page_token }))
    }

    async fn recompute_bulletin(
        &self,
        request: Request<proto::RecomputeBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        bulletin_name("name", &request.name)?;
        let on = (request.name.as_str(), request.etag.as_str());
        self.change(&call, &request, &request_id, on, AskedOfBulletin::Recompute, Self::whole).await
    }

    async fn check_bulletin(
        &self,
        request: Request<proto::CheckBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        bulletin_name("name", &request.name)?;
        let before = decode_time("before", &present("before", request.before)?)?;
        let on = (request.name.as_str(), request.etag.as_str());
        self.change(&call, &request, &request_id, on, AskedOfBulletin::Check { before }, Self::whole).await
    }

    async fn confirm_bulletin(
        &self,
        request: Request<proto::ConfirmBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut check = Check::default();
        check.name("name", &request.name, "bulletins");
        check.name("unit", &request.unit, "units");
        check.finish()?;
        let asked = AskedOfBulletin::Confirm { unit: request.unit.clone() };
        let on = (request.name.as_str(), request.etag.as_str());
        self.change(&call, &request, &request_id, on, asked, Self::whole).await
    }

    async fn sign_bulletin(
        &self,
        request: Request<proto::SignBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        bulletin_name("name", &request.name)?;
        let on = (request.name.as_str(), request.etag.as_str());
        self.change(&call, &request, &request_id, on, AskedOfBulletin::Sign, Self::whole).await
    }

    async fn withdraw_bulletin(
        &self,
        request: Request<proto::WithdrawBulletinRequest>,
    ) -> Result<Response<proto::Bulletin>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut check = Check::default();
        check.name("name", &request.name, "bulletins");
        check.text("ground", &request.ground, GROUND);
        check.finish()?;
        let asked = AskedOfBulletin::Withdraw { ground: request.ground.clone() };
        let on = (request.name.as_str(), request.etag.as_str());
        self.change(&call, &request, &request_id, on, asked, Self::whole).await
    }

    async fn get_bulletin_file(
        &self,
        request: Request<proto::GetBulletinFileRequest>,
    ) -> Result<Response<Pieces>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        bulletin_name("name", &request.name)?;
        let format = format(&request.format)?;
        Ok(file(format, &self.app.bulletin_paper(&call, &request.name).await?)?)
    }

    async fn create_appeal(
        &self,
        request: Request<proto::CreateAppealRequest>,
    ) -> Result<Response<proto::Appeal>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut check = Check::default();
        check.name("parent", &request.parent, "bulletins");
        check.name("unit", &request.unit, "units");
        check.text("reason", &request.reason, GROUND);
        check.finish()?;
        let asked = AskedOfBulletin::Appeal {
            unit: request.unit.clone(),
            about: Contested {
                figure: decode_figure(request.figure)?,
                point: request.point.as_ref().map(|point| decode_point("point", point)).transpose()?,
            },
            reason: request.reason.clone(),
        };
        let on = (request.parent.as_str(), request.etag.as_str());
        let newest = |_: &Self, view: BulletinView| match view.bulletin.appeals.last() {
            Some(appeal) => Ok(encode_appeal(appeal)),
            None => Err(Error::not_found(&view.bulletin.name)),
        };
        self.change(&call, &request, &request_id, on, asked, newest).await
    }

    async fn get_appeal(
        &self,
        request: Request<proto::GetAppealRequest>,
    ) -> Result<Response<proto::Appeal>, Status> {
        let call = Call::of(&request)?.clone();
        let name = request.into_inner().name;
        let bulletin = bulletin_of_appeal(&name)?;
        let appeals = self.app.appeals(&call, bulletin).await?;
        match appeals.iter().find(|appeal| appeal.name == name) {
            Some(appeal) => Ok(Response::new(encode_appeal(appeal))),
            None => Err(call.scope()?.missing(name).into()),
        }
    }

    async fn list_appeals(
        &self,
        request: Request<proto::ListAppealsRequest>,
    ) -> Result<Response<proto::ListAppealsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        bulletin_name("parent", &request.parent)?;
        let asked = ["ListAppeals", request.parent.as_str()];
        let paging = Paging::<u64>::new(&asked, request.page_size, &request.page_token)?;
        let appeals = self.app.appeals(&call, &request.parent).await?;
        let rest: Vec<&Appeal> = appeals
            .iter()
            .filter(|appeal| paging.after().is_none_or(|after| number(appeal) > *after))
            .collect();
        let (appeals, next_page_token) =
            paging.page(rest, |appeal| number(appeal), |appeal| Ok(encode_appeal(appeal)))?;
        Ok(Response::new(proto::ListAppealsResponse { appeals, next_page_token }))
    }

    async fn uphold_appeal(
        &self,
        request: Request<proto::UpholdAppealRequest>,
    ) -> Result<Response<proto::Appeal>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let bulletin = bulletin_of_appeal(&request.name)?;
        let mut check = Check::default();
        check.text("ground", &request.ground, GROUND);
        check.finish()?;
        let corrected = at_most("corrected", request.corrected.clone(), MOST_CORRECTED)?;
        let corrected = corrected.iter().map(|point| decode_point("corrected", point));
        let asked = AskedOfBulletin::Uphold {
            appeal: request.name.clone(),
            corrected: corrected.collect::<Result<_, _>>()?,
            ground: request.ground.clone(),
            decider_units: self.app.units_of(&call.principal)?,
        };
        let on = (bulletin, request.etag.as_str());
        self.change(&call, &request, &request_id, on, asked, one_appeal(&request.name)).await
    }

    async fn refuse_appeal(
        &self,
        request: Request<proto::RefuseAppealRequest>,
    ) -> Result<Response<proto::Appeal>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let bulletin = bulletin_of_appeal(&request.name)?;
        let mut check = Check::default();
        check.text("ground", &request.ground, GROUND);
        check.finish()?;
        let asked = AskedOfBulletin::Refuse {
            appeal: request.name.clone(),
            ground: request.ground.clone(),
            decider_units: self.app.units_of(&call.principal)?,
        };
        let on = (bulletin, request.etag.as_str());
        self.change(&call, &request, &request_id, on, asked, one_appeal(&request.name)).await
    }
}

fn one_appeal(name: &str) -> impl Fn(&Bulletins, BulletinView) -> Result<proto::Appeal, Error> + use<'_> {
    move |_, view| match view.bulletin.find_appeal(name) {
        Some(appeal) => Ok(encode_appeal(appeal)),
        None => Err(Error::not_found(name)),
    }
}

fn bulletin_name(field: &str, name: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name(field, name, "bulletins");
    check.finish()
}

/// The bulletin that an appeal's name belongs to.
fn bulletin_of_appeal(name: &str) -> Result<&str, Error> {
    match name.split_once("/appeals/") {
        Some((bulletin, appeal))
            if bulletin.strip_prefix("bulletins/").is_some_and(is_id) && is_id(appeal) =>
        {
            Ok(bulletin)
        }
        Some(_) | None => Err(Error::invalid(
            "name",
            "must be of the form bulletins/{id}/appeals/{id}",
            "格式应为bulletins/编号/appeals/编号",
        )),
    }
}

/// The number of an appeal among those of its bulletin.
fn number(appeal: &Appeal) -> u64 {
    appeal.name.rsplit_once('/').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

fn decode_state(state: i32) -> Result<Option<BulletinState>, Error> {
    match proto::BulletinState::try_from(state) {
        Ok(proto::BulletinState::Unspecified) => Ok(None),
        Ok(proto::BulletinState::Draft) => Ok(Some(BulletinState::Draft)),
        Ok(proto::BulletinState::Checking) => Ok(Some(BulletinState::Checking)),
        Ok(proto::BulletinState::Issued) => Ok(Some(BulletinState::Issued)),
        Ok(proto::BulletinState::Withdrawn) => Ok(Some(BulletinState::Withdrawn)),
        Err(_) => {
            let (english, chinese) = one_of(&[
                "BULLETIN_STATE_DRAFT",
                "BULLETIN_STATE_CHECKING",
                "BULLETIN_STATE_ISSUED",
                "BULLETIN_STATE_WITHDRAWN",
            ]);
            Err(Error::invalid("state", english, chinese))
        }
    }
}

fn decode_figure(figure: i32) -> Result<Figure, Error> {
    match proto::ScoreFigureKind::try_from(figure) {
        Ok(proto::ScoreFigureKind::OnTime) => Ok(Figure::OnTime),
        Ok(proto::ScoreFigureKind::Late) => Ok(Figure::Late),
        Ok(proto::ScoreFigureKind::DaysOverdue) => Ok(Figure::DaysOverdue),
        Ok(proto::ScoreFigureKind::Returned) => Ok(Figure::Returned),
        Ok(proto::ScoreFigureKind::LateSteps) => Ok(Figure::LateSteps),
        Ok(proto::ScoreFigureKind::ReturnsRefused) => Ok(Figure::ReturnsRefused),
        Ok(proto::ScoreFigureKind::Reopened) => Ok(Figure::Reopened),
        Ok(proto::ScoreFigureKind::Unspecified) | Err(_) => {
            Err(Error::invalid("figure", "must be one of the named values", "请指明申诉的是哪一项数据"))
        }
    }
}

fn decode_point(field: &str, point: &proto::ScorePoint) -> Result<PointKey, Error> {
    let mut check = Check::default();
    check.text(format!("{field}.assignment"), &point.assignment, LINE);
    if point.version < 0 {
        check.wrong(format!("{field}.version"), "must not be negative", "版本不能为负数");
    }
    check.finish()?;
    Ok(PointKey {
        assignment: point.assignment.clone(),
        version: (point.version > 0).then_some(point.version),
    })
}

fn encode_point(point: &PointKey) -> proto::ScorePoint {
    proto::ScorePoint { assignment: point.assignment.clone(), version: point.version.unwrap_or(0) }
}

/// A bulletin without its lines.
fn encode_head(bulletin: &Bulletin) -> proto::Bulletin {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let issued = bulletin.issued.as_ref();
    proto::Bulletin {
        name: bulletin.name.clone(),
        title: bulletin.title.clone(),
        state: match bulletin.state {
            BulletinState::Draft => proto::BulletinState::Draft,
            BulletinState::Checking => proto::BulletinState::Checking,
            BulletinState::Issued => proto::BulletinState::Issued,
            BulletinState::Withdrawn => proto::BulletinState::Withdrawn,
        }
        .into(),
        start_time: Some(encode_time(bulletin.period.start)),
        end_time: Some(encode_time(bulletin.period.end)),
        rule: Some(encode_rule(&bulletin.rule)),
        leader: bulletin.leader.clone(),
        score_time: Some(encode_time(bulletin.scored_at)),
        check_before: bulletin.check_before.map(encode_time),
        lines: Vec::new(),
        line_count: count(bulletin.units.len()),
        confirmed_count: count(bulletin.confirmed()),
        appeal_count: count(bulletin.appeals.len()),
        open_appeal_count: count(bulletin.open_appeals()),
        paper: issued.map(|issued| issued.paper.clone()).unwrap_or_default(),
        number: issued.map(|issued| issued.number.clone()).unwrap_or_default(),
        issue_time: issued.map(|issued| encode_time(issued.at)),
        withdrawal_ground: bulletin.withdrawal_ground.clone().unwrap_or_default(),
        create_time: Some(encode_time(bulletin.created_at)),
        etag: version_tag(bulletin),
    }
}

fn encode_appeal(appeal: &Appeal) -> proto::Appeal {
    let (state, corrected, answer, decided) = match &appeal.state {
        AppealState::Open => (proto::AppealState::Open, Vec::new(), String::new(), None),
        AppealState::Upheld { corrected, ground, at } => {
            let corrected = corrected.iter().map(encode_point).collect();
            (proto::AppealState::Upheld, corrected, ground.clone(), Some(*at))
        }
        AppealState::Refused { ground, at } => {
            (proto::AppealState::Refused, Vec::new(), ground.clone(), Some(*at))
        }
    };
    proto::Appeal {
        name: appeal.name.clone(),
        unit: appeal.unit.clone(),
        figure: encode_figure(appeal.about.figure).into(),
        point: appeal.about.point.as_ref().map(encode_point),
        reason: appeal.reason.clone(),
        state: state.into(),
        corrected,
        answer,
        create_time: Some(encode_time(appeal.at)),
        decide_time: decided.map(encode_time),
    }
}
