//! What a service was for beyond its purpose, as finer rules ask it: its class, its project and who set that.

use crate::domain::fault::Faults;
use crate::domain::policy::{ProjectLevel, ServiceClass};

/// The longest number or name of a project.
const PROJECT_CHARACTERS_MAX: usize = 200;

/// Class and project of a service; what is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceContext {
    pub service_class: Option<ServiceClass>,
    /// Number or name of the using unit's project.
    pub project: Option<String>,
    pub project_level: Option<ProjectLevel>,
}

impl ServiceContext {
    /// Adds what is wrong with it.
    pub fn check(&self, faults: &mut Faults) {
        if let Some(project) = &self.project {
            faults.text("project", project, PROJECT_CHARACTERS_MAX);
        }
    }
}

/// A change of it: `None` stays, `Some(None)` is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextChange {
    pub service_class: Option<Option<ServiceClass>>,
    pub project: Option<Option<String>>,
    pub project_level: Option<Option<ProjectLevel>>,
}

impl ContextChange {
    /// What is said afterwards.
    pub fn onto(&self, present: ServiceContext) -> ServiceContext {
        ServiceContext {
            service_class: self.service_class.unwrap_or(present.service_class),
            project: self.project.clone().unwrap_or(present.project),
            project_level: self.project_level.unwrap_or(present.project_level),
        }
    }
}
