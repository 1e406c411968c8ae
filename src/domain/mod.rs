//! What is true: values, rules, arithmetic and state machines, without a database, a clock or a network.
//!
//! # Glossary: one English word for each term of the field
//!
//! | term | word | meaning |
//! |---|---|---|
//! | 大型科研仪器 | instrument | a research instrument worth at least the registration threshold (20万元) |
//! | 管理单位 | host | the organization that owns instruments and opens them |
//! | 用户单位 | using unit | the organization that books and pays |
//! | 关联单位 | related party | an affiliated organization: its use is not external |
//! | 统一社会信用代码 | USCC | the 18-character code of a legal person (GB 32100-2015) |
//! | 资质 | certification | what a unit was certified as, from one day to another |
//! | 主管部门 | supervising region | the region whose administration verifies a host |
//! | 原值 | original value | the book value, in fen |
//! | 通用 / 专用 | general / special | purpose type; rated 1,400 h or 800 h a year |
//! | 验收 / 启用 | accepted / enabled | dates of acceptance and of being put into service |
//! | 外部共享 / 内部共享 / 不共享 | external / internal / none | share mode |
//! | 预约 | booking | a claim on a slot of an instrument's channel |
//! | 准备 / 清理 | set-up / clean-up | minutes blocked before and after a booking |
//! | 资产台账 | asset ledger | what a unit's books say it owns |
//! | 开放共享义务 | duty | what is due for an asset: to register it, to share it, to use it |
//! | 整改 | rectification | what a host has to mend by a day |
//! | 停用 | closure | a time in which an instrument takes no bookings |
//! | 占用共享 / 技术共享 / 委托共享 | self-operated / guided / entrusted | service mode |
//! | 使用记录 | usage record | one service: when, for whom, how long |
//! | 有效机时 | effective minutes | necessary preparation + run + post-processing; idle running excluded |
//! | 对外服务机时 | external minutes | effective minutes for units that are neither the host nor its related party |
//! | 定额机时 | rated minutes | the yearly quota by purpose type, prorated by days in service |
//! | 机时证据 | evidence | automatic (device), confirmed (on the platform) or manual |
//! | 法定检测 | statutory | mandatory testing; earns no subsidy |
//! | 收费标准 | tariff | a dated public price per hour |
//! | 应收 | charge | what a payer owes for a usage record |
//! | 创新券 | voucher | pays part of a charge; that part earns no subsidy |
//! | 绩效评价 | evaluation | the yearly scores and grades of hosts |
//! | 优秀 / 良好 / 合格 / 不合格 | excellent / good / pass / fail | grades |
//! | 绩效后补助 | post-subsidy | money paid to hosts after the year, by income and grade |
//! | 编号 | key | a text by which people know a thing: asset number, invoice number, reference, login |
//! | 政策包 | policy pack | weights, rates and caps as versioned data |

// Money, hours and points are exact: integers and rationals.
#![deny(clippy::float_arithmetic)]

pub mod access;
pub mod account;
pub mod availability;
pub mod award;
pub mod booking;
pub mod booking_rules;
pub mod calendar;
pub mod calendar_feed;
pub mod category;
pub mod certification;
pub mod channel;
pub mod charge;
pub mod closure;
pub mod code;
pub mod contact;
pub mod duty;
pub mod evaluation;
pub mod exemption;
pub mod expert;
pub mod fault;
pub mod finding;
pub mod id;
pub mod instrument;
pub mod job;
pub mod key;
pub mod money;
pub mod objection;
pub mod operator;
pub mod organization;
pub mod policy;
pub mod preflight;
pub mod public_notice;
pub mod ratio;
pub mod reason;
pub mod rectification;
pub mod region;
pub mod reported;
pub mod review;
pub mod run;
pub mod search;
pub mod sentence;
pub mod service;
pub mod spans;
pub mod state;
pub mod stats;
pub mod subsidy;
pub mod tariff;
pub mod time;
pub mod usage;
pub mod uscc;
pub mod vocabulary;

pub use category::{CategoryCode, SubjectCode};
pub use code::Code;
pub use fault::Fault;
pub use id::*;
pub use key::TypedKey;
pub use money::{Fen, Minutes, TooLarge};
pub use operator::Operator;
pub use reason::Reason;
pub use region::RegionCode;
pub use state::InvalidState;
pub use time::{EmptySlot, Instant, NotAnInstant, Slot, ZONE};
pub use uscc::Uscc;
