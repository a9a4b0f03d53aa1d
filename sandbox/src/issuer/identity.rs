//! The test identity: one job of one repository, described in the words of three platforms.

/// Who the job is. All identifiers are made up; change any field with `Issuer::set_identity`.
#[derive(Clone, Debug)]
pub struct Identity {
    /// CircleCI organization id.
    pub organization_id: String,
    /// CircleCI project id.
    pub project_id: String,
    /// CircleCI user id.
    pub user_id: String,
    /// CircleCI pipeline id.
    pub pipeline_id: String,
    /// CircleCI pipeline definition id.
    pub pipeline_definition_id: String,
    /// CircleCI workflow id.
    pub workflow_id: String,
    /// CircleCI job id.
    pub job_id: String,
    /// CircleCI context ids.
    pub context_ids: Vec<String>,
    /// `owner/name`.
    pub repository: String,
    /// GitHub repository id, digits.
    pub repository_id: String,
    /// GitHub owner id, digits.
    pub repository_owner_id: String,
    /// Full git ref.
    pub git_ref: String,
    /// GitHub event name.
    pub event_name: String,
    /// GitHub environment, if the job has one.
    pub environment: Option<String>,
    /// GitHub run id, digits.
    pub run_id: String,
    /// GitHub run attempt, digits.
    pub run_attempt: String,
    /// GitHub check run id of the job, digits.
    pub check_run_id: String,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Kubernetes service account.
    pub service_account: String,
    /// Kubernetes pod uid.
    pub pod_uid: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            organization_id: "0b0e5a44-6c1f-4a6d-9d0a-5f2f8c6f1a01".to_owned(),
            project_id: "1c7d2f90-3b58-4e0c-8a4e-7d1b2a9c4e02".to_owned(),
            user_id: "2d8e3fa1-4c69-4f1d-9b5f-8e2c3bad5f03".to_owned(),
            pipeline_id: "3e9f40b2-5d7a-402e-ac60-9f3d4cbe6004".to_owned(),
            pipeline_definition_id: "4fa051c3-6e8b-413f-bd71-a04e5dcf7105".to_owned(),
            workflow_id: "50b162d4-7f9c-4240-8e82-b15f6ed08206".to_owned(),
            job_id: "61c273e5-80ad-4351-9f93-c2607fe19307".to_owned(),
            context_ids: vec!["72d384f6-91be-4462-a0a4-d37180f2a408".to_owned()],
            repository: "acme/app".to_owned(),
            repository_id: "730001002".to_owned(),
            repository_owner_id: "730001001".to_owned(),
            git_ref: "refs/heads/main".to_owned(),
            event_name: "push".to_owned(),
            environment: None,
            run_id: "9100000001".to_owned(),
            run_attempt: "1".to_owned(),
            check_run_id: "41000000001".to_owned(),
            namespace: "build".to_owned(),
            service_account: "publisher".to_owned(),
            pod_uid: "83e495a7-a2cf-4573-b1b5-e48291a3b509".to_owned(),
        }
    }
}

impl Identity {
    /// The owner part of the repository.
    pub fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// CircleCI's issuer for the organization.
    pub fn circleci_issuer(&self) -> String {
        format!("{}/org/{}", super::CIRCLECI_ISSUER, self.organization_id)
    }
}
