//! What databases say when the same request may succeed later: time is over, somebody cancelled, the disk is full, memory is
//! short, the server starts, stops, recovers or only reads. SQLite never translates its words; PostgreSQL does, in the
//! language of `lc_messages`, and diesel tells no code of most of them.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// SQLite's words.
const SQLITE: [&str; 9] = [
    "disk is full",
    "disk I/O error",
    "is locked",
    "locking protocol",
    "unable to open",
    "readonly database",
    "disk image is malformed",
    "is not a database",
    "out of memory",
];

/// PostgreSQL's words in English, simplified and traditional Chinese, German, Japanese, Korean, Russian, French, Spanish,
/// Italian.
const POSTGRES: [&[&str]; 6] = [
    // A statement ended by its own limit, that of a lock, a cancel or the recovery (57014, 55P03, 40001 of a standby).
    &[
        "canceling statement",
        "正在取消",
        "取消语句",
        "取消查詢",
        "取消陳述式",
        "storniere Anfrage",
        "キャンセルしています",
        "작업을 취소합니다",
        "작업을 중지합니다",
        "выполнение оператора отменено",
        "annulation de la requête",
        "cancelando la sentencia",
        "annullamento dell'istruzione",
    ],
    // Disk full (53100), told of the file or by the system.
    &[
        "could not extend file",
        "could not write",
        "No space left on device",
        "无法扩展文件",
        "无法写入",
        "设备上没有空间",
        "設備上沒有空間",
        "裝置上已無多餘空間",
        "nicht erweitern",
        "nicht in Datei",
        "Kein Speicherplatz",
        "を拡張できませんでした",
        "書き出せませんでした",
        "デバイスに空き領域がありません",
        "파일을 확장할 수 없음",
        "파일 쓰기 실패",
        "장치에 남은 공간이",
        "не удалось увеличить файл",
        "не удалось записать в файл",
        "не осталось свободного места",
        "pu étendre le fichier",
        "pu écrire dans le fichier",
        "Aucun espace disponible",
        "no se pudo extender el archivo",
        "no se pudo escribir a archivo",
        "No queda espacio",
        "possibile estendere il file",
        "scrittura nel file",
        "Spazio esaurito",
    ],
    // Its hint, where the message tells another cause.
    &[
        "Check free disk space",
        "检查空闲磁盘",
        "freien Festplattenplatz",
        "ディスクの空き容量",
        "디스크 여유 공간",
        "есть ли место на диске",
        "l'espace disque disponible",
        "espacio libre en disco",
        "spazio libero sul disco",
    ],
    // Memory, shared or its own (53200), and room for temporary files (53400).
    &[
        "out of memory",
        "out of shared memory",
        "temp_file_limit",
        "内存用尽",
        "記憶體用盡",
        "Speicher aufgebraucht",
        "Shared Memory aufgebraucht",
        "メモリ不足",
        "共有メモリが足りません",
        "메모리 부족",
        "нехватка памяти",
        "нехватка разделяемой памяти",
        "mémoire épuisée",
        "mémoire partagée épuisée",
        "memoria agotada",
        "memoria compartida agotada",
        "memoria esaurita",
        "memoria condivisa esaurita",
    ],
    // Too many connections (53300), told when one is made.
    &[
        "too many clients",
        "too many connections",
        "remaining connection slots",
        "太多的客户",
        "连接太多",
        "zu viele Verbindungen",
        "クライアント数が多すぎます",
        "слишком много клиентов",
        "слишком много подключений",
        "trop de connexions",
        "demasiadas conexiones",
        "troppe connessioni",
    ],
    // A server that starts, stops, recovers or stands by (57P03, 25006, 55000).
    &[
        "the database system is",
        "recovery",
        "read-only transaction",
        "数据库系统",
        "恢复",
        "只读",
        "Datenbanksystem",
        "Wiederherstellung",
        "データベースシステム",
        "リカバリ",
        "데이터베이스 시스템",
        "복구 작업",
        "система баз данных",
        "восстановления",
        "système de bases de données",
        "restauration",
        "sistema de base de datos",
        "recuperación",
    ],
];

/// What SQLite says of a query that was ended at its deadline.
const INTERRUPTED: &str = "interrupted";

/// Whether this is one of them.
pub fn is_not_now(kind: &DatabaseErrorKind, info: &dyn DatabaseErrorInformation) -> bool {
    use DatabaseErrorKind::{ClosedConnection, ReadOnlyTransaction, UnableToSendCommand, Unknown};
    match kind {
        // The last is what a query on a connection meets whose server is gone already.
        ClosedConnection | ReadOnlyTransaction | UnableToSendCommand => true,
        Unknown => {
            let (message, hint) = (info.message(), info.hint().unwrap_or_default());
            let told = |word: &&str| message.contains(word) || hint.contains(word);
            message == INTERRUPTED
                || SQLITE.iter().any(|word| message.contains(word))
                || POSTGRES.iter().copied().flatten().any(told)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> bool {
        is_not_now(&DatabaseErrorKind::Unknown, &message.to_owned())
    }

    #[test]
    fn what_may_succeed_later_is_known_in_every_language() {
        for message in [
            "attempt to write a readonly database",
            "database disk image is malformed",
            "file is not a database",
            "database or disk is full",
            "interrupted",
            "canceling statement due to statement timeout",
            "canceling statement due to conflict with recovery",
            "由于语句执行超时，正在取消查询命令",
            "由于锁超时，取消语句操作",
            "storniere Anfrage wegen Zeitüberschreitung einer Sperre",
            "ユーザーからの要求により文をキャンセルしています",
            "잠금 대기 시간 초과로 작업을 취소합니다.",
            "выполнение оператора отменено из-за тайм-аута",
            "annulation de la requête à la demande de l'utilisateur",
            "could not extend file \"base/1/2\": wrote only 4096 of 8192 bytes at block 3",
            "无法扩展文件 \"base/1/2\": 设备上没有空间",
            "не удалось увеличить файл \"base/1/2\"",
            "konnte Datei »base/1/2« nicht erweitern: es wurden nur 1 von 2 Bytes geschrieben",
            "内存用尽",
            "对不起, 已经有太多的客户",
            "das Datenbanksystem startet",
            "cannot acquire lock mode ExclusiveLock on database objects while recovery is in progress",
        ] {
            assert!(told(message), "{message}");
        }
    }

    #[test]
    fn a_defect_is_none_of_them() {
        for message in [
            "column \"x\" does not exist",
            "no such table: x",
            "division by zero",
            "字段 \"x\" 不存在",
        ] {
            assert!(!told(message), "{message}");
        }
        let broken_rule = DatabaseErrorKind::UniqueViolation;
        assert!(!is_not_now(&broken_rule, &"recovery".to_owned()));
    }
}
