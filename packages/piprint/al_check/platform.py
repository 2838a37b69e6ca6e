"""What the checks know of Business Central itself, as data; only what the extension touches, so a new call is added here.

Sources: Microsoft's AL reference (``dev-itpro/developer/methods-auto``, ``properties``, ``triggers``, ``attributes``) and the
events' pages (``devenv-onaftersetupprinters-event``, ``devenv-onafterdocumentprintready-event``), read in August 2026; what is of
objects, :mod:`al_check.base` has.
"""

from __future__ import annotations

__all__ = [
    "AREAS",
    "ARITY",
    "ATTRIBUTES",
    "EVENTS",
    "FIELD_METHODS",
    "FUNCTIONS",
    "IMAGES",
    "METHODS",
    "PROPERTIES",
    "RECORD_METHODS",
    "RETURNS",
    "STATICS",
    "SYSTEM_FIELDS",
    "TRIGGERS",
    "VALUES",
]

EVENTS: dict[tuple[str, str], dict[str, str]] = {
    ("ReportManagement", "OnAfterSetupPrinters"): {"printers": "var Dictionary of [Text[250], JsonObject]"},
    ("ReportManagement", "OnAfterDocumentPrintReady"): {
        "objecttype": 'Option "Report","Page"',
        "objectid": "Integer",
        "objectpayload": "JsonObject",
        "documentstream": "InStream",
        "success": "var Boolean",
    },
    ("Printer Setup", "OnOpenPrinterSettings"): {"printerid": "Text", "ishandled": "var Boolean"},
    ("Company-Initialize", "OnCompanyInitialize"): {},
    ("Upgrade Tag", "OnGetPerCompanyUpgradeTags"): {"percompanyupgradetags": "var List of [Code[250]]"},
    ("Upgrade Tag", "OnGetPerDatabaseUpgradeTags"): {"perdatabaseupgradetags": "var List of [Code[250]]"},
}
"""Publishers' events: (codeunit, event) -> parameters by lower-case name."""

SYSTEM_FIELDS: dict[str, str] = {
    "systemid": "Guid",
    "systemcreatedat": "DateTime",
    "systemcreatedby": "Guid",
    "systemmodifiedat": "DateTime",
    "systemmodifiedby": "Guid",
    "systemrowversion": "BigInteger",
}
"""Fields every table has."""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.lower().split())


FUNCTIONS = _names(
    "Abs CalcDate Clear ClearLastError Commit Confirm ConvertStr CopyStr CopyStream CreateDateTime CreateGuid"
    " CurrentDateTime Date2DMY DelChr DownloadFromStream DT2Date DT2Time Error Evaluate Format GetLastErrorText GuiAllowed"
    " Hyperlink IncStr InsStr IsNullGuid LowerCase MaxStrLen Message NormalDate PadStr Power Round SelectStr Sleep StrLen"
    " StrPos StrSubstNo Time Today UpperCase UserId UserSecurityId WorkDate CompanyName"
)
"""Functions that need no object."""

RECORD_METHODS = _names(
    "AddLink CalcFields CalcSums ClearMarks Copy CopyFilters Count CurrentKey Delete DeleteAll FieldCaption FieldError"
    " FieldNo FilterGroup Find FindFirst FindLast FindSet Get GetBySystemId GetFilter GetFilters GetPosition HasFilter Init"
    " Insert IsEmpty IsTemporary LockTable Mark MarkedOnly Modify ModifyAll Next ReadIsolation ReadPermission RecordId Rename"
    " Reset SetAutoCalcFields SetCurrentKey SetFilter SetLoadFields SetPosition SetRange SetRecFilter SetView TableCaption"
    " TableName TestField TransferFields Validate WritePermission InsertPermission"
)
FIELD_METHODS = _names(
    "CalcFields CalcSums FieldCaption FieldError FieldNo GetFilter ModifyAll SetAutoCalcFields SetCurrentKey SetFilter"
    " SetLoadFields SetRange TestField Validate"
)
"""Record methods whose first argument is a field's name."""

METHODS: dict[str, frozenset[str]] = {
    "blob": _names("CreateInStream CreateOutStream HasValue Length Import Export"),
    "dictionary": _names("Add ContainsKey Count Get Keys Remove Set Values"),
    "guid": _names("CreateGuid ToText"),
    "instream": _names("EOS Length Position Read ReadText ResetPosition"),
    "jsonarray": _names("Add AsToken Clone Count Get IndexOf Insert ReadFrom RemoveAt SelectToken Set WriteTo"),
    "jsonobject": _names("Add AsToken Clone Contains Get Keys Path ReadFrom Remove Replace SelectToken Values WriteTo"),
    "jsontoken": _names("AsArray AsObject AsValue Clone IsArray IsObject IsValue Path ReadFrom SelectToken WriteTo"),
    "jsonvalue": _names("AsBoolean AsDecimal AsInteger AsText AsToken Clone IsNull IsUndefined SetValue"),
    "list": _names("Add AddRange Contains Count Get GetRange IndexOf Insert LastIndexOf Remove RemoveAt Reverse Set"),
    "notification": _names("AddAction GetData HasData Id Message Recall Scope Send SetData"),
    "outstream": _names("Write WriteText"),
    "text": _names(
        "Contains EndsWith IndexOf IndexOfAny LastIndexOf PadLeft PadRight Remove Replace Split StartsWith Substring ToLower"
        " ToUpper Trim TrimEnd TrimStart"
    ),
    "textbuilder": _names("Append AppendLine Capacity Clear Insert Length MaxCapacity Remove Replace ToText"),
    "webserviceactioncontext": _names(
        "AddEntityKey GetObjectId GetObjectType GetResultCode SetObjectId SetObjectType SetResultCode"
    ),
}
"""Methods by type."""

RETURNS: dict[tuple[str, str], str] = {
    ("jsontoken", "asvalue"): "jsonvalue",
    ("jsontoken", "asarray"): "jsonarray",
    ("jsontoken", "asobject"): "jsonobject",
    ("jsontoken", "clone"): "jsontoken",
    ("jsonobject", "clone"): "jsontoken",
    ("jsonarray", "clone"): "jsontoken",
}
"""Types of what methods return, where a call is chained to it."""

STATICS: dict[str, frozenset[str]] = {
    "taskscheduler": _names("CanCreateTask CancelTask CreateTask SetTaskReady TaskExists"),
    "isolationlevel": _names("Default ReadCommitted ReadUncommitted RepeatableRead UpdLock"),
    "objecttype": _names("Codeunit MenuSuite Page Query Report Table XmlPort"),
    "textencoding": _names("MSDos UTF8 UTF16 Windows"),
    "webserviceactionresultcode": _names("Created Deleted Get None Updated"),
}
"""Values of the platform's own enums, and methods of its own objects."""

_TEXTS = "AdditionalSearchTerms Caption ToolTip"
_LOOK = "ApplicationArea Editable Enabled Style StyleExpr Visible"
PROPERTIES: dict[str, frozenset[str]] = {
    "table_declaration": _names(
        "Access Caption DataClassification DataPerCompany DrillDownPageId Extensible LookupPageId Permissions TableType"
    ),
    "field_declaration": _names(
        "AutoIncrement BlankZero CalcFormula Caption DataClassification Editable FieldClass InitValue MinValue MaxValue"
        " NotBlank SubType TableRelation ToolTip ValidateTableRelation"
    ),
    "key_declaration": _names("Clustered Enabled Unique MaintainSiftIndex IncludedFields"),
    "fieldgroup_declaration": _names("Caption"),
    "enum_declaration": _names("Access AssignmentCompatibility Caption Extensible"),
    "enum_value_declaration": _names("Caption"),
    "codeunit_declaration": _names(
        "Access EventSubscriberInstance InherentEntitlements InherentPermissions Permissions SingleInstance Subtype TableNo"
    ),
    "page_declaration": _names(
        f"{_TEXTS} APIGroup APIPublisher APIVersion ApplicationArea CardPageId DelayedInsert DeleteAllowed Editable"
        " EntityCaption EntityName EntitySetCaption EntitySetName Extensible InsertAllowed ModifyAllowed ODataKeyFields"
        " PageType Permissions PromotedActionCategories SourceTable SourceTableTemporary SourceTableView UsageCategory"
    ),
    "page_field": _names(f"Caption ToolTip {_LOOK} DrillDown Importance MultiLine ShowMandatory"),
    "group_section": _names(f"Caption ShowCaption {_LOOK}"),
    "repeater_section": _names(f"Caption {_LOOK}"),
    "action_declaration": _names(
        f"Caption ToolTip {_LOOK} Image Promoted PromotedCategory PromotedIsBig PromotedOnly RunObject RunPageLink"
    ),
    "actionref_declaration": _names("Visible"),
    "pageextension_declaration": _names("AdditionalSearchTerms PromotedActionCategories"),
    "permissionset_declaration": _names(
        "Access Assignable Caption IncludedPermissionSets ExcludedPermissionSets Permissions"
    ),
    "permissionsetextension_declaration": _names("IncludedPermissionSets ExcludedPermissionSets Permissions"),
}
"""Properties that elements may have."""

VALUES: dict[str, frozenset[str]] = {
    "access": _names("Internal Local Protected Public"),
    "dataclassification": _names(
        "AccountData CustomerContent EndUserIdentifiableInformation EndUserPseudonymousIdentifiers"
        " OrganizationIdentifiableInformation SystemMetadata ToBeClassified"
    ),
    "fieldclass": _names("FlowField FlowFilter Normal"),
    "inherententitlements": _names("X"),
    "inherentpermissions": _names("X"),
    "pagetype": _names(
        "API Card CardPart ConfirmationDialog Document HeadlinePart List ListPart ListPlus NavigatePage PromptDialog"
        " RoleCenter StandardDialog Worksheet XmlPort"
    ),
    "style": _names(
        "Ambiguous Attention AttentionAccent Favorable None Standard StandardAccent Strong StrongAccent Subordinate Unfavorable"
    ),
    "subtype": _names("Install Normal Test TestRunner Upgrade"),
    "usagecategory": _names("Administration Documents History Lists None ReportsAndAnalysis Tasks"),
}
"""Values of properties that have few; codeunits have only X to inherit."""

TRIGGERS: dict[str, frozenset[str]] = {
    "codeunit": _names("OnRun"),
    "codeunit install": _names("OnRun OnInstallAppPerCompany OnInstallAppPerDatabase"),
    "codeunit upgrade": _names(
        "OnRun OnCheckPreconditionsPerCompany OnCheckPreconditionsPerDatabase OnUpgradePerCompany OnUpgradePerDatabase"
        " OnValidateUpgradePerCompany OnValidateUpgradePerDatabase"
    ),
    "table": _names("OnDelete OnInsert OnLookup OnModify OnRename OnValidate"),
    "page": _names(
        "OnAction OnAfterGetCurrRecord OnAfterGetRecord OnAfterLookup OnAssistEdit OnClosePage OnDeleteRecord OnDrillDown"
        " OnFindRecord OnInit OnInsertRecord OnLookup OnModifyRecord OnNewRecord OnNextRecord OnOpenPage"
        " OnPageBackgroundTaskCompleted OnPageBackgroundTaskError OnQueryClosePage OnValidate"
    ),
}
"""Triggers by the object they stand in, those of its fields and actions among them."""

ATTRIBUTES = _names(
    "EventSubscriber InherentPermissions NonDebuggable Obsolete SecurityFiltering ServiceEnabled TryFunction"
)
"""Attributes of procedures and variables."""

AREAS = _names("Creation Navigation Processing Promoted Reporting")
"""Areas of actions a page extension may add to, whether the page has something there or not."""

IMAGES = _names("Cancel List Pause Print PrintDocument Restore SendAsPDF Server Setup Start Stop TestReport")
"""Images of actions, each seen in an extension that was compiled."""

_MANY = 99
ARITY: dict[str, tuple[int, int]] = {
    "calcdate": (1, 2),
    "clear": (1, 1),
    "commit": (0, 0),
    "companyname": (0, 0),
    "confirm": (1, _MANY),
    "copystr": (2, 3),
    "copystream": (2, 3),
    "createdatetime": (2, 2),
    "currentdatetime": (0, 0),
    "delchr": (1, 3),
    "downloadfromstream": (5, 5),
    "error": (1, _MANY),
    "evaluate": (2, 3),
    "format": (1, 3),
    "isnullguid": (1, 1),
    "lowercase": (1, 1),
    "maxstrlen": (1, 1),
    "message": (1, _MANY),
    "padstr": (2, 3),
    "strlen": (1, 1),
    "strpos": (2, 2),
    "strsubstno": (1, _MANY),
    "time": (0, 0),
    "today": (0, 0),
    "uppercase": (1, 1),
    "userid": (0, 0),
    "usersecurityid": (0, 0),
    "record.delete": (0, 1),
    "record.deleteall": (0, 2),
    "record.findfirst": (0, 0),
    "record.findlast": (0, 0),
    "record.findset": (0, 2),
    "record.getbysystemid": (1, 1),
    "record.init": (0, 0),
    "record.insert": (0, 2),
    "record.isempty": (0, 0),
    "record.modify": (0, 1),
    "record.modifyall": (2, 3),
    "record.next": (0, 1),
    "record.readpermission": (0, 0),
    "record.setcurrentkey": (1, _MANY),
    "record.setfilter": (2, _MANY),
    "record.setloadfields": (0, _MANY),
    "record.setrange": (1, 3),
    "record.validate": (1, 2),
    "record.writepermission": (0, 0),
}
"""Fewest and most arguments of functions, and of ``record.`` methods."""
