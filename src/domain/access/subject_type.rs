//! The nouns that events are about: the words of `subject_type` in the trail and in its filter.

crate::vocabulary! {
    /// What an event is about.
    SubjectType {
        AdoptedGrade = "adopted_grade",
        ApiKey = "api_key",
        Award = "award",
        Booking = "booking",
        CalendarToken = "calendar_token",
        Charge = "charge",
        Closure = "closure",
        Evaluation = "evaluation",
        ExpertAssignment = "expert_assignment",
        Finding = "finding",
        FindingScan = "finding_scan",
        Instrument = "instrument",
        Invitation = "invitation",
        Invoice = "invoice",
        Objection = "objection",
        Organization = "organization",
        Policy = "policy",
        Province = "province",
        Rectification = "rectification",
        Reference = "reference",
        RelatedParty = "related_party",
        Service = "service",
        Session = "session",
        SubsidyRun = "subsidy_run",
        Tariff = "tariff",
        UsageRecord = "usage_record",
        User = "user",
    }
}
