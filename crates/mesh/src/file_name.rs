//! What a client is told to keep a file as: a service that answers with `google.api.HttpBody` says so
//! beside it, and the gateway as `Content-Disposition`.

use tonic::Response;
use tonic::metadata::{MetadataMap, MetadataValue};

/// The name as UTF-8; gRPC carries it encoded.
const FILE_NAME: &str = "x-file-name-bin";
/// Characters of a name, without its ending.
const LONGEST: usize = 80;

/// An answer that is a file of a name; `ending` as in `docx`. What no system takes in a name is
/// replaced.
pub fn named<T>(file: T, name: &str, ending: &str) -> Response<T> {
    let name = format!("{}.{ending}", kept_as(name));
    let mut response = Response::new(file);
    response.metadata_mut().insert_bin(FILE_NAME, MetadataValue::from_bytes(name.as_bytes()));
    response
}

/// The name that a service gave its file, if it gave one.
pub fn read(metadata: &MetadataMap) -> Option<String> {
    let bytes = metadata.get_bin(FILE_NAME)?.to_bytes().ok()?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// A name that every system takes as one of a file.
pub fn kept_as(name: &str) -> String {
    let plain = |character: char| match character {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
        character if character.is_control() => '_',
        character => character,
    };
    name.chars().map(plain).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::{named, read};

    #[test]
    fn a_chinese_name_comes_as_it_was_given() {
        let response = named((), "督办台账/2023年6月1日", "xlsx");
        assert_eq!(read(response.metadata()).as_deref(), Some("督办台账_2023年6月1日.xlsx"));
        assert_eq!(read(tonic::Response::new(()).metadata()), None);
        let long = named((), &"长".repeat(200), "docx");
        assert_eq!(read(long.metadata()).unwrap().chars().count(), 85);
    }
}
