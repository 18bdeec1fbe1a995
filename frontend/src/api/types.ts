/** The API's own words for its things. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Session = Schemas['Session'];
export type Me = Schemas['Me'];
export type Project = Schemas['Project'];
export type Key = Schemas['Key'];
export type KeyLimits = Schemas['KeyLimits'];
export type CreatedKey = Schemas['CreatedKey'];
export type Tensor = Schemas['Tensor'];
export type Model = Schemas['Model'];
export type ModelVersion = Schemas['ModelVersion'];
export type Deployment = Schemas['Deployment'];
export type DeploymentState = Deployment['state'];
export type Revision = Schemas['Revision'];
export type Worker = Schemas['Worker'];
export type RequestSummary = Schemas['RequestSummary'];
export type RequestPoint = Schemas['RequestPoint'];
export type RecentRequest = Schemas['RecentRequest'];
export type System = Schemas['System'];
export type RevisionSettings = Schemas['RevisionSettings'];
export type Tuning = Schemas['Tuning'];
export type CurvePoint = Schemas['CurvePoint'];
export type Choice = Schemas['Choice'];
export type BatchJob = Schemas['BatchJob'];
export type AuditEntry = Schemas['AuditEntry'];
export type OwnSession = Schemas['OwnSession'];
export type OpenInvitation = Schemas['OpenInvitation'];
export type Invitation = Schemas['Invitation'];
export type Invited = Schemas['Invited'];
export type OrganizationMember = Schemas['OrganizationMember'];
export type RoleTable = Schemas['RoleTable'];
export type OrganizationSettings = Schemas['OrganizationSettings'];
export type SettingsPatch = Schemas['SettingsPatch'];
export type DeletedOrganization = Schemas['DeletedOrganization'];
export type Usage = Schemas['Usage'];
export type Traffic = Schemas['Traffic'];
