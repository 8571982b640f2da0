//! The directory goes out as tables and comes in as such.

use futures_util::StreamExt;
use tonic::Response;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;
use xietong_proto::roster::DirectoryTable::{self, Collectives, Officials, Units};

use crate::city::{City, on_both, refused, time};

on_both!(
    what_is_exported_is_imported_unchanged,
    a_table_is_taken_whole_or_not_at_all,
    a_table_is_read_once_for_one_request_id,
    only_administrators_import_and_everybody_exports,
    a_large_table_comes_in_pieces,
);

async fn export(city: &City, table: DirectoryTable) -> String {
    let request = proto::ExportDirectoryRequest { table: table.into() };
    let stream = city.exchange().export_directory(city.clerk(request)).await.unwrap().into_inner();
    let pieces: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert!(pieces.iter().all(|piece| piece.content_type == "text/csv; charset=utf-8"));
    String::from_utf8(pieces.into_iter().flat_map(|piece| piece.data).collect()).unwrap()
}

fn table(table: DirectoryTable, csv: &str) -> proto::ImportDirectoryRequest {
    proto::ImportDirectoryRequest { table: table.into(), csv: csv.into(), ..Default::default() }
}

async fn import(city: &City, request: proto::ImportDirectoryRequest) -> Result<(i32, i32, i32), Error> {
    let answer = city.exchange().import_directory(city.admin(request)).await;
    let answer = answer.map(Response::into_inner).map_err(refused)?;
    Ok((answer.created, answer.changed, answer.unchanged))
}

async fn position(city: &City) -> i64 {
    city.service.log.last_position().await.unwrap()
}

async fn what_is_exported_is_imported_unchanged(city: City) {
    let city = city.with_directory().await;
    for kind in [Units, Collectives, Officials] {
        let text = export(&city, kind).await;
        let before = position(&city).await;
        let (created, changed, unchanged) = import(&city, table(kind, &text)).await.unwrap();
        assert_eq!((created, changed), (0, 0), "{kind:?}: {text}");
        assert_eq!(usize::try_from(unchanged).unwrap() + 1, text.lines().count(), "{kind:?}: {text}");
        assert_eq!(position(&city).await, before, "nothing is recorded");
    }
}

async fn a_table_is_taken_whole_or_not_at_all(city: City) {
    let city = city.with_directory().await;
    let good = "标识,名称,简称,类别,上级单位\n\
                data,市数据局,,市政府部门,water\n\
                water,市水务局,市水利局,市政府部门,\n";
    let tried = proto::ImportDirectoryRequest { validate_only: true, ..table(Units, good) };
    assert_eq!(import(&city, tried).await.unwrap(), (1, 1, 0));
    let get = async |name: &str| {
        let request = proto::GetUnitRequest { name: name.into() };
        city.directory().get_unit(city.clerk(request)).await.map(Response::into_inner).map_err(refused)
    };
    assert_eq!(get("units/data").await.unwrap_err().code(), Code::NotFound, "it was only tried");

    let bad = format!("{good}bad,,,市政府部门,市月球局\nworse,甲,,部门,\n");
    let error = import(&city, table(Units, &bad)).await.unwrap_err();
    let fields: Vec<&str> = error.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!((error.code(), fields), (Code::InvalidArgument, vec!["csv.line[4]", "csv.line[5]"]));
    assert_eq!(get("units/data").await.unwrap_err().code(), Code::NotFound, "nothing of it is entered");

    let later = Some(time("2023-07-01T00:00:00+08:00"));
    let request = proto::ImportDirectoryRequest { effective_time: later, ..table(Units, good) };
    assert_eq!(import(&city, request).await.unwrap(), (1, 1, 0));
    assert_eq!(get("units/data").await.unwrap().parent, "units/water");
    assert_eq!(get("units/water").await.unwrap().display_name, "市水利局", "it is renamed in July");
    assert_eq!(city.history("units/water").await, ["roster.unit.created", "roster.unit.changed"]);
    city.advance("2023-07-01T00:00:00+08:00").await;
    assert_eq!(get("units/water").await.unwrap().display_name, "市水务局");
    assert_eq!(import(&city, table(Units, good)).await.unwrap(), (0, 0, 2));

    let people = "标识,姓名,职务类别,单位,职务\nwater-clerk,丁,工作人员,市水务局,科员\n";
    assert_eq!(import(&city, table(Officials, people)).await.unwrap(), (1, 0, 0));
    let unknown = import(&city, proto::ImportDirectoryRequest { table: 9, ..table(Units, good) }).await;
    assert_eq!(unknown.unwrap_err().violations()[0].field, "table");
}

async fn a_table_is_read_once_for_one_request_id(city: City) {
    let city = city.with_directory().await;
    let request =
        |csv: &str| proto::ImportDirectoryRequest { request_id: "july".into(), ..table(Units, csv) };
    let one = "标识,名称,类别\ndata,市数据局,市政府部门\n";
    assert_eq!(import(&city, request(one)).await.unwrap(), (1, 0, 0));
    let after = position(&city).await;
    assert_eq!(import(&city, request(one)).await.unwrap(), (1, 0, 0), "the first answer");
    assert_eq!(position(&city).await, after);
    let other = import(&city, request("标识,名称,类别\nother,市他局,市政府部门\n")).await;
    assert!(other.is_err(), "another table under the same id");
}

async fn only_administrators_import_and_everybody_exports(city: City) {
    let city = city.with_directory().await;
    for role in [Role::Supervisor, Role::Leader, Role::Auditor] {
        let request = city.of("one", vec![Grant::of(role)], table(Units, "标识,名称\n"));
        let refused = refused(city.exchange().import_directory(request).await.unwrap_err());
        assert_eq!(refused.code(), Code::PermissionDenied, "{role:?}");
    }
    assert!(export(&city, Units).await.contains("市水利局"));
}

async fn a_large_table_comes_in_pieces(city: City) {
    let rows: String =
        (0..3_000).map(|row| format!("unit-{row},第{row}个单位名称较长以便分段,市政府部门\n")).collect();
    let text = format!("标识,名称,类别\n{rows}");
    assert_eq!(import(&city, table(Units, &text)).await.unwrap(), (3_000, 0, 0));
    let exported = export(&city, Units).await;
    assert!(exported.len() > 256 * 1024 / 2 && exported.lines().count() == 3_001, "{}", exported.len());
    assert_eq!(import(&city, table(Units, &exported)).await.unwrap(), (0, 0, 3_000));
}
