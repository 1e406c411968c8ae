//! Who may do what: roles, callers and the table of deed × role. Pure; the operations ask it in their first line.

crate::vocabulary! {
    /// The roles of the contract. A member of an organization has a list of them.
    Role {
        PlatformAdmin = "platform_admin",
        RegionAdmin = "region_admin",
        Auditor = "auditor",
        Evaluator = "evaluator",
        HostAdmin = "host_admin",
        HostFinance = "host_finance",
        InstrumentManager = "instrument_manager",
        UnitAdmin = "unit_admin",
        UnitMember = "unit_member",
    }
}
