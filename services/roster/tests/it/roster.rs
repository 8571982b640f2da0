//! Divisions, absences and who answers.

use xietong_mesh::Code;
use xietong_proto::roster as proto;

use crate::city::{City, absence, at, division_12, division_next, on_both, refused, time};

on_both!(
    a_division_says_who_answers_for_units_fields_posts_and_officials,
    a_division_that_is_only_validated_stores_nothing_and_says_what_changes_hands,
    a_malformed_division_is_refused_with_the_field,
    divisions_are_listed_the_latest_first,
    divisions_of_one_document_are_listed_and_a_token_belongs_to_the_document,
    the_stand_in_acts_exactly_while_the_leader_is_away,
    what_was_known_at_an_earlier_instant_stays_answered_so,
    a_and_b_are_not_away_together_without_approval,
    an_absence_that_overlaps_another_is_refused,
    an_absence_ends_early_and_only_once,
    only_a_planned_absence_is_cancelled,
    an_outdated_etag_is_aborted,
    absences_are_listed_the_latest_first_with_their_states,
    a_restarted_service_gives_the_same_answers,
);

fn validate(division: proto::Division) -> proto::CreateDivisionRequest {
    proto::CreateDivisionRequest { division: Some(division), validate_only: true, request_id: String::new() }
}

fn create(division: proto::Division) -> proto::CreateDivisionRequest {
    proto::CreateDivisionRequest { validate_only: false, ..validate(division) }
}

async fn a_division_says_who_answers_for_units_fields_posts_and_officials(city: City) {
    let city = city.with_division().await;
    let june = Some(time("2023-06-01T09:00:00+08:00"));
    let ask = || proto::ResolveRequest { at: june, ..Default::default() };
    for (request, expected) in [
        (proto::ResolveRequest { unit: "units/water".into(), ..ask() }, "乔飞鸿"),
        (proto::ResolveRequest { unit: "市工信局".into(), ..ask() }, "崔元斌"),
        (proto::ResolveRequest { field: "财政".into(), ..ask() }, "王渊"),
        (proto::ResolveRequest { post: "市长".into(), ..ask() }, "王延峰"),
        (proto::ResolveRequest { post: "分管水利工作的副市长".into(), ..ask() }, "乔飞鸿"),
        (proto::ResolveRequest { post: "市水利局主要负责人".into(), ..ask() }, "甲"),
        (proto::ResolveRequest { official: "officials/hu-xiaogang".into(), ..ask() }, "胡晓刚"),
    ] {
        let answer = city.resolve(request.clone()).await.unwrap();
        assert_eq!(answer.accountable.unwrap().display_name, expected, "{request:?}");
        assert_eq!(answer.acting.unwrap().display_name, expected, "{request:?}");
        assert!(!answer.stand_in && !answer.steps.is_empty());
        assert_eq!(answer.at, june);
    }
    let before = proto::ResolveRequest { unit: "units/water".into(), ..Default::default() };
    let before = city.resolve(before).await.unwrap();
    assert_eq!((before.accountable, before.acting), (None, None), "it is not yet in force");
    assert_eq!(before.at, Some(time("2023-05-01T09:00:00+08:00")));

    let ambiguous = proto::ResolveRequest { unit: "水库中心".into(), ..ask() };
    assert_eq!(city.resolve(ambiguous).await.unwrap_err().reason(), "UNIT_AMBIGUOUS");
    let unknown = proto::ResolveRequest { unit: "市气象局".into(), ..ask() };
    assert_eq!(city.resolve(unknown).await.unwrap_err().code(), Code::NotFound);
    let both = proto::ResolveRequest { unit: "units/water".into(), field: "水利".into(), ..ask() };
    assert_eq!(city.resolve(both).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(city.resolve(ask()).await.unwrap_err().code(), Code::InvalidArgument);
}

async fn a_division_that_is_only_validated_stores_nothing_and_says_what_changes_hands(city: City) {
    let city = city.with_division().await;
    let request = validate(division_next());
    let tried = city.roster().create_division(city.admin(request)).await.unwrap().into_inner();
    let handover = |unit: &str, field: &str| proto::Handover {
        unit: unit.into(),
        field: field.into(),
        from: "officials/qiao-feihong".into(),
        to: "officials/cui-yuanbin".into(),
        ..Default::default()
    };
    assert_eq!(tried.handovers, [handover("units/water", ""), handover("", "水利")]);
    assert_eq!(tried.first_stated, []);
    // Here the roster is alone; the whole mesh is looked at end to end.
    assert_eq!(tried.unavailable, ["supervision", "notification", "workgroup"]);
    let division = tried.division.unwrap();
    assert!(division.name.is_empty() && division.etag.is_empty() && division.record_time.is_none());
    let request = proto::ListDivisionsRequest::default();
    let listed = city.roster().list_divisions(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(listed.divisions.len(), 1);

    let request = create(division_next());
    let stored = city.roster().create_division(city.admin(request)).await.unwrap().into_inner();
    assert_eq!(stored.handovers, tried.handovers);
    assert_eq!(stored.unavailable, [""; 0], "nobody is asked of what is recorded");
    let stored = stored.division.unwrap();
    let request = proto::GetDivisionRequest { name: stored.name.clone() };
    let read = city.roster().get_division(city.clerk(request)).await.unwrap().into_inner();
    assert_eq!(read, stored);
    assert_eq!(read.record_time, Some(time("2023-05-01T09:00:00+08:00")));
}

async fn a_malformed_division_is_refused_with_the_field(city: City) {
    let city = city.with_directory().await;
    let refuse = async |change: fn(&mut proto::Division)| {
        let mut division = division_12();
        change(&mut division);
        let error = city.roster().create_division(city.admin(create(division))).await.unwrap_err();
        refused(error)
    };
    let own = refuse(|division| division.pairs[0].stand_in = division.pairs[0].official.clone()).await;
    assert_eq!(own.violations()[0].field, "stand_in");
    let contested = refuse(|division| {
        let duty = division.portfolios[4].units[0].clone();
        division.portfolios[1].units.push(duty);
    })
    .await;
    assert_eq!(contested.violations()[0].field, "portfolios");
    let unset = refuse(|division| division.effective_time = None).await;
    assert_eq!(unset.violations()[0].field, "division.effective_time");
    let relation = refuse(|division| division.portfolios[1].units[0].relation = 99).await;
    assert_eq!(relation.violations()[0].field, "division.portfolios.units.relation");
    let stranger = refuse(|division| division.pairs[0].stand_in = "officials/nobody".into()).await;
    assert_eq!(stranger.reason(), "OFFICIAL_UNKNOWN");
    let empty = refuse(|division| division.portfolios.clear()).await;
    assert_eq!(empty.code(), Code::InvalidArgument);
}

async fn divisions_are_listed_the_latest_first(city: City) {
    let city = city.with_division().await;
    let request = create(division_next());
    city.roster().create_division(city.admin(request)).await.unwrap();
    let list = async |page_token: String| {
        let request = proto::ListDivisionsRequest { page_size: 1, page_token, ..Default::default() };
        city.roster().list_divisions(city.clerk(request)).await.unwrap().into_inner()
    };
    let first = list(String::new()).await;
    assert_eq!(first.divisions[0].document_number, "临政办发〔2023〕20号");
    let second = list(first.next_page_token).await;
    assert_eq!(second.divisions[0].document_number, "临政办发〔2023〕12号");
    assert!(second.next_page_token.is_empty());
}

async fn divisions_of_one_document_are_listed_and_a_token_belongs_to_the_document(city: City) {
    let city = city.with_division().await;
    let request = proto::ListDivisionsRequest::default();
    let listed = city.roster().list_divisions(city.clerk(request)).await.unwrap().into_inner();
    let corrects = listed.divisions[0].name.clone();
    let corrected = proto::Division { title: "更正".into(), corrects, ..division_12() };
    for division in [division_next(), corrected] {
        city.roster().create_division(city.admin(create(division))).await.unwrap();
    }
    let list = async |document_number: &str, page_token: &str| {
        let request = proto::ListDivisionsRequest {
            page_size: 1,
            page_token: page_token.into(),
            document_number: document_number.into(),
        };
        let answer = city.roster().list_divisions(city.clerk(request)).await;
        answer.map(tonic::Response::into_inner).map_err(refused)
    };
    let number = "临政办发〔2023〕12号";
    let first = list(number, "").await.unwrap();
    let second = list(number, &first.next_page_token).await.unwrap();
    let both = [&first.divisions[0], &second.divisions[0]];
    assert!(both.iter().all(|division| division.document_number == number));
    assert_ne!(both[0].name, both[1].name);
    assert!(second.next_page_token.is_empty(), "that of 20号 is not among them");
    assert_eq!(list("临政办发〔2023〕1号", "").await.unwrap().divisions, []);
    for other in ["", "临政办发〔2023〕20号"] {
        let foreign = list(other, &first.next_page_token).await.unwrap_err();
        assert_eq!(foreign.violations()[0].field, "page_token");
    }
    let endless = list(&"号".repeat(201), "").await.unwrap_err();
    assert_eq!(endless.violations()[0].field, "document_number");
}

async fn the_stand_in_acts_exactly_while_the_leader_is_away(city: City) {
    let city = city.with_division().await;
    city.away("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00").await.unwrap();
    for (instant, acting) in [
        ("2023-06-09T23:59:59.999999+08:00", "乔飞鸿"),
        ("2023-06-10T00:00:00+08:00", "王渊"),
        ("2023-06-11T23:59:59.999999+08:00", "王渊"),
        ("2023-06-12T00:00:00+08:00", "乔飞鸿"),
    ] {
        assert_eq!(city.who("units/water", instant).await, ("乔飞鸿".into(), acting.into()), "{instant}");
    }
    let request = proto::ResolveRequest {
        unit: "units/water".into(),
        at: Some(time("2023-06-10T12:00:00+08:00")),
        ..Default::default()
    };
    let answer = city.resolve(request).await.unwrap();
    assert!(answer.stand_in);
    let rules: Vec<(&str, &str)> =
        answer.steps.iter().map(|step| (step.rule.as_str(), step.outcome.as_str())).collect();
    let expected =
        [("division", "chosen"), ("directs", "chosen"), ("absent", "skipped"), ("standing_b", "chosen")];
    assert_eq!(rules, expected);
    assert!(answer.steps[3].basis.contains("临政办发〔2023〕12号"), "{:?}", answer.steps[3]);
}

async fn what_was_known_at_an_earlier_instant_stays_answered_so(city: City) {
    let city = city.with_division().await;
    city.advance("2023-06-09T18:00:00+08:00").await;
    city.away("qiao-feihong", "2023-06-10T00:00:00+08:00", "2023-06-20T00:00:00+08:00").await.unwrap();
    let during = "2023-06-15T09:00:00+08:00";
    let known = async |known_at: Option<&str>| city.who_as_known("units/water", during, known_at).await.1;
    assert_eq!(known(Some("2023-06-09T17:59:59+08:00")).await, "乔飞鸿");
    assert_eq!(known(Some("2023-06-09T18:00:00+08:00")).await, "王渊");
    assert_eq!(known(None).await, "王渊");

    let request = proto::ListAbsencesRequest::default();
    let listed = city.roster().list_absences(city.clerk(request)).await.unwrap().into_inner();
    city.advance("2023-06-12T10:00:00+08:00").await;
    city.end(&listed.absences[0].name, "").await.unwrap();
    assert_eq!(known(None).await, "乔飞鸿");
    assert_eq!(known(Some("2023-06-12T09:59:59+08:00")).await, "王渊", "it was not yet known");
}

async fn a_and_b_are_not_away_together_without_approval(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    city.away("qiao-feihong", start, end).await.unwrap();
    let refused = city.away("wang-yuan", "2023-06-11T00:00:00+08:00", end).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "AWAY_TOGETHER"));
    assert!(refused.chinese().starts_with("A、B角同时不在岗，须经市长批准"), "{}", refused.chinese());

    let approved = proto::Absence {
        approval: "市长批示〔2023〕5号".into(),
        ..absence("wang-yuan", "2023-06-11T00:00:00+08:00", end)
    };
    let approved = city.register(approved).await.unwrap();
    assert_eq!(approved.approval, "市长批示〔2023〕5号");
    // Nobody is left to act, which is an alarm and never a guess.
    assert_eq!(city.who("units/water", "2023-06-11T09:00:00+08:00").await, ("乔飞鸿".into(), String::new()));
}

async fn an_absence_that_overlaps_another_is_refused(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let first = city.away("qiao-feihong", start, end).await.unwrap();
    let overlapping = city.away("qiao-feihong", "2023-06-11T00:00:00+08:00", "2023-06-13T00:00:00+08:00");
    let overlapping = overlapping.await.unwrap_err();
    assert_eq!(overlapping.reason(), "ABSENCE_OVERLAPS");
    assert_eq!(overlapping.metadata()["absence"], first.name);
    city.away("qiao-feihong", end, "2023-06-13T00:00:00+08:00").await.unwrap();
    let backwards = city.away("cui-yuanbin", end, start).await.unwrap_err();
    assert_eq!(backwards.violations()[0].field, "end_time");
}

async fn an_absence_ends_early_and_only_once(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-20T00:00:00+08:00");
    let planned = city.away("qiao-feihong", start, end).await.unwrap();
    assert_eq!(planned.state(), proto::AbsenceState::Planned);
    assert_eq!(city.end(&planned.name, "").await.unwrap_err().reason(), "ABSENCE_NOT_ACTIVE");

    city.advance("2023-06-12T10:00:00+08:00").await;
    assert_eq!(city.get_absence(&planned.name).await.state(), proto::AbsenceState::Active);
    let ended = city.end(&planned.name, "").await.unwrap();
    assert_eq!(ended.state(), proto::AbsenceState::Ended);
    assert_eq!(ended.end_time, Some(time("2023-06-12T10:00:00+08:00")));
    assert_eq!(city.get_absence(&planned.name).await, ended);
    assert_eq!(city.who("units/water", "2023-06-13T09:00:00+08:00").await.1, "乔飞鸿");
    assert_eq!(city.end(&planned.name, "").await.unwrap_err().reason(), "ABSENCE_NOT_ACTIVE");

    city.advance("2023-07-01T00:00:00+08:00").await;
    let history = city.history(&planned.name).await;
    assert_eq!(history, ["roster.absence.created", "roster.absence.started", "roster.absence.ended"]);
}

async fn only_a_planned_absence_is_cancelled(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-12T00:00:00+08:00");
    let absence = city.away("qiao-feihong", start, end).await.unwrap();
    let cancelled = city.cancel(&absence.name, &absence.etag).await.unwrap();
    assert_eq!(cancelled.state(), proto::AbsenceState::Cancelled);
    assert_eq!(cancelled.end_time, absence.end_time);
    assert_eq!(city.who("units/water", "2023-06-11T09:00:00+08:00").await.1, "乔飞鸿");
    assert_eq!(city.cancel(&absence.name, "").await.unwrap_err().reason(), "ABSENCE_NOT_PLANNED");
    city.advance("2023-07-01T00:00:00+08:00").await;
    let history = city.history(&absence.name).await;
    assert_eq!(history, ["roster.absence.created", "roster.absence.cancelled"]);

    let away =
        city.away("qiao-feihong", "2023-06-30T00:00:00+08:00", "2023-07-03T00:00:00+08:00").await.unwrap();
    assert_eq!(away.state(), proto::AbsenceState::Active);
    assert_eq!(city.cancel(&away.name, "").await.unwrap_err().reason(), "ABSENCE_NOT_PLANNED");
    let nothing = city.cancel("absences/none", "").await.unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
}

async fn an_outdated_etag_is_aborted(city: City) {
    let city = city.with_division().await;
    let (start, end) = ("2023-06-10T00:00:00+08:00", "2023-06-20T00:00:00+08:00");
    let absence = city.away("qiao-feihong", start, end).await.unwrap();
    city.advance("2023-06-12T10:00:00+08:00").await;
    let aborted = city.end(&absence.name, &absence.etag).await.unwrap_err();
    assert_eq!((aborted.code(), aborted.reason()), (Code::Aborted, "ETAG_MISMATCH"));
    let current = city.get_absence(&absence.name).await;
    city.end(&absence.name, &current.etag).await.unwrap();
}

async fn absences_are_listed_the_latest_first_with_their_states(city: City) {
    let city = city.with_division().await;
    for day in ["01", "03", "05"] {
        let (start, end) = (format!("2023-06-{day}T00:00:00+08:00"), format!("2023-06-{day}T12:00:00+08:00"));
        city.away("cui-yuanbin", &start, &end).await.unwrap();
    }
    city.advance("2023-06-03T09:00:00+08:00").await;
    let mut states = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::ListAbsencesRequest { page_size: 1, page_token, ..Default::default() };
        let page = city.roster().list_absences(city.clerk(request)).await.unwrap().into_inner();
        states.extend(page.absences.iter().map(proto::Absence::state));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    use proto::AbsenceState::{Active, Ended, Planned};
    assert_eq!(states, [Planned, Active, Ended]);
}

async fn a_restarted_service_gives_the_same_answers(city: City) {
    let city = city.with_division().await;
    let request = create(division_next());
    city.roster().create_division(city.admin(request)).await.unwrap();
    let away = async |start: &str, end: &str| city.away("qiao-feihong", start, end).await.unwrap();
    let ended = away("2023-06-10T00:00:00+08:00", "2023-06-20T00:00:00+08:00").await;
    let cancelled = away("2023-07-10T00:00:00+08:00", "2023-07-20T00:00:00+08:00").await;
    away("2023-08-10T00:00:00+08:00", "2023-08-20T00:00:00+08:00").await;
    city.advance("2023-06-12T10:00:00+08:00").await;
    city.end(&ended.name, "").await.unwrap();
    city.cancel(&cancelled.name, "").await.unwrap();

    let days = ["2023-06-11", "2023-06-15", "2023-07-15", "2023-08-15", "2023-09-15"];
    let known = [None, Some("2023-06-11T00:00:00+08:00")];
    let answers = async |city: &City| {
        let mut answers = Vec::new();
        for day in days {
            for known_at in known {
                let at = format!("{day}T09:00:00+08:00");
                answers.push(city.who_as_known("units/water", &at, known_at).await);
            }
        }
        let request = proto::ListAbsencesRequest::default();
        let absences = city.roster().list_absences(city.clerk(request)).await.unwrap().into_inner();
        (answers, absences)
    };
    let before = answers(&city).await;
    assert_eq!(before.0[0].1, "王渊");
    assert_eq!(before.0[8].1, "崔元斌");
    let city = city.restarted().await;
    assert_eq!(city.clock.now(), at("2023-06-12T10:00:00+08:00"));
    assert_eq!(answers(&city).await, before);
}
