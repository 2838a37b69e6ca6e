"""What the checks know of Business Central itself, as data; only what the extension touches, so a new call is added here.

Sources: Microsoft's AL reference (``dev-itpro/developer/methods-auto``, ``properties``) and the events' pages
(``devenv-onaftersetupprinters-event``, ``devenv-onafterdocumentprintready-event``), read in August 2026.
"""

from __future__ import annotations

__all__ = [
    "EVENTS",
    "FIELD_METHODS",
    "FUNCTIONS",
    "METHODS",
    "PROPERTIES",
    "RECORD_METHODS",
    "RETURNS",
    "STATICS",
    "SYSTEM_FIELDS",
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
    "outstream": _names("Write WriteText"),
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
    "isolationlevel": _names("Default ReadCommitted ReadUncommitted RepeatableRead UpdLock"),
    "objecttype": _names("Codeunit MenuSuite Page Query Report Table XmlPort"),
    "textencoding": _names("MSDos UTF8 UTF16 Windows"),
    "webserviceactionresultcode": _names("Created Deleted Get None Updated"),
}
"""Values of the platform's own enums."""

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
    "codeunit_declaration": _names("Access EventSubscriberInstance Permissions SingleInstance Subtype TableNo"),
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
