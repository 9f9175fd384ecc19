//! Every kind of mistake there is a word for, in one place.

use std::fmt;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It would fail, or do what nobody can have meant.
    Error,
    /// It works, and is likely to be a mistake all the same.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Declares the codes. A line reads `Variant "its-name",`; the page of each is `codes/its-name.md`.
macro_rules! codes {
    ($($severity:ident { $($variant:ident $name:literal,)* })*) => {
        /// The name of a kind of mistake. `playbook explain` shows the page of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = concat!("`", $name, "`")] $variant,)*)*
        }

        impl Code {
            /// Every code, in the order in which they are declared.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// In kebab case, as it is shown.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$variant => $name,)*)*
                }
            }

            /// How much it matters.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $($(Self::$variant)|* => Severity::$severity,)*
                }
            }

            pub(super) fn text(self) -> &'static str {
                match self {
                    $($(Self::$variant => include_str!(concat!("codes/", $name, ".md")),)*)*
                }
            }
        }
    };
}

codes! {
    Error {
        // The text.
        UnreadableFile "unreadable-file",
        TooLarge "too-large",
        TooManyValues "too-many-values",
        TooDeep "too-deep",
        EmptyDocument "empty-document",
        SeveralDocuments "several-documents",
        TabIndentation "tab-indentation",
        BadIndentation "bad-indentation",
        MissingColon "missing-colon",
        MisplacedColon "misplaced-colon",
        MissingComma "missing-comma",
        UnclosedBracket "unclosed-bracket",
        MismatchedBracket "mismatched-bracket",
        UnclosedQuote "unclosed-quote",
        TextAfterQuote "text-after-quote",
        UnknownEscape "unknown-escape",
        UnquotedTemplate "unquoted-template",
        BadBlockText "bad-block-text",
        InvalidYaml "invalid-yaml",
        DuplicateKey "duplicate-key",
        ComplexKey "complex-key",
        MergeKey "merge-key",
        UnknownAlias "unknown-alias",
        RecursiveAlias "recursive-alias",
        AliasBomb "alias-bomb",
        Tag "tag",
        Directive "directive",
        // The playbook.
        MissingKey "missing-key",
        UnknownKey "unknown-key",
        ForeignKeyword "foreign-keyword",
        UnknownVersion "unknown-version",
        NewerVersion "newer-version",
        WrongType "wrong-type",
        EmptyValue "empty-value",
        OutOfRange "out-of-range",
        NotAChoice "not-a-choice",
        InvalidDuration "invalid-duration",
        InvalidName "invalid-name",
        ReservedName "reserved-name",
        DuplicateName "duplicate-name",
        UnknownType "unknown-type",
        OptionDoesNotFit "option-does-not-fit",
        InvalidPattern "invalid-pattern",
        InvalidSchema "invalid-schema",
        InvalidDefault "invalid-default",
        SecretInPlaybook "secret-in-playbook",
        SecretInName "secret-in-name",
        // The steps.
        NoKind "no-kind",
        TwoKinds "two-kinds",
        UnknownKind "unknown-kind",
        UnknownOperation "unknown-operation",
        UnsupportedOperation "unsupported-operation",
        NoUndo "no-undo",
        UnknownWaiter "unknown-waiter",
        DuplicateId "duplicate-id",
        MisplacedKey "misplaced-key",
        ConflictingKeys "conflicting-keys",
        MisplacedCleanup "misplaced-cleanup",
        MissingField "missing-field",
        MissingFile "missing-file",
        WrongForm "wrong-form",
        MissingHandler "missing-handler",
        ReservedWord "reserved-word",
        InvalidTemplate "invalid-template",
        MissingCapability "missing-capability",
        ForeignVariable "foreign-variable",
        OutsideRoot "outside-root",
        UnknownLibrary "unknown-library",
        InvalidProject "invalid-project",
        MissingInput "missing-input",
        InvalidInput "invalid-input",
        IncludeCycle "include-cycle",
        IncludeDepth "include-depth",
        // Expressions.
        TemplateSyntax "template-syntax",
        TemplateTooLong "template-too-long",
        TemplatedKey "templated-key",
        MisplacedTemplate "misplaced-template",
        ExpressionTooLong "expression-too-long",
        UnneededBraces "unneeded-braces",
        UnknownFilter "unknown-filter",
        UnknownTest "unknown-test",
        UnknownFunction "unknown-function",
        NotACondition "not-a-condition",
        NotOrdered "not-ordered",
        InexactNumber "inexact-number",
        NoMethods "no-methods",
        NotCallable "not-callable",
        UnknownName "unknown-name",
        UnknownReference "unknown-reference",
        LaterReference "later-reference",
        MisplacedReference "misplaced-reference",
        OtherBranch "other-branch",
        UnchangingPoll "unchanging-poll",
        // Before the first call.
        MissingVariable "missing-variable",
        MissingAnswer "missing-answer",
        LocalOnly "local-only",
        AdministratorPolicy "administrator-policy",
        SkippedStep "skipped-step",
        ChangedSince "changed-since",
        // While a playbook runs.
        Template "template",
        StepFailed "step-failed",
        AssertionFailed "assertion-failed",
        Interrupted "interrupted",
    }
    Warning {
        UnusedInput "unused-input",
        UnusedVariable "unused-variable",
        UnreachableStep "unreachable-step",
        PossiblySkipped "possibly-skipped",
        PollWithoutTimeout "poll-without-timeout",
        NeverEqual "never-equal",
        FixedName "fixed-name",
        SecretShown "secret-shown",
        SecretStored "secret-stored",
        UnknownRuntime "unknown-runtime",
        DeprecatedRuntime "deprecated-runtime",
    }
}

impl Code {
    /// The code of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}
