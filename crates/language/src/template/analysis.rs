//! What can be said of an expression without evaluating it.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, ForLoop, Stmt, UnaryOpKind};

use super::environment::{FILE, FILTERS, FUNCTIONS, TESTS, instead_of_function, instead_of_method};
use crate::diagnostic::{Code, did_you_mean};

/// After a test such as `is defined` the engine takes these for a variable, its argument.
const OPERATORS: &[&str] = &["and", "else", "if", "in", "is", "not", "or"];

/// A path that is read: a name and what is looked up in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) path: Vec<String>,
    /// Where each name of the path ends.
    pub(super) ends: Vec<usize>,
    /// The part of the chain whose names are fixed.
    pub(super) fixed: Range<usize>,
    pub(super) whole: Range<usize>,
    pub(super) need: Need,
    /// Whether another part decides that it is read at all.
    pub(super) conditional: bool,
    /// Bound by the template itself, as by `for`.
    pub(super) local: bool,
}

impl Chain {
    /// Where each name of the path stands in the source; an index stands in its brackets.
    pub(super) fn parts(&self, source: &str) -> Vec<Range<usize>> {
        let mut before = self.whole.start;
        let mut parts = Vec::with_capacity(self.path.len());
        for (name, end) in self.path.iter().zip(&self.ends) {
            let start = end.saturating_sub(name.len());
            let is_name = start >= before && source.get(start..*end) == Some(name);
            parts.push(if is_name { start..*end } else { before..*end });
            before = *end;
        }
        parts
    }
}

/// Whether a path must be defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must be defined.
    Required,
    /// It must be defined where it is evaluated; another part of the expression asks whether it is.
    Guarded,
    /// It may be undefined: `is defined` or `default(…)` look at it.
    Optional,
}

/// Something that would fail whenever it were evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Analysis {
    pub(super) chains: Vec<Chain>,
    /// The paths that `file` is called with.
    pub(super) files: Vec<(String, Range<usize>)>,
    pub(super) faults: Vec<Fault>,
}

pub(super) fn of_expression(expression: &Expr<'_>) -> Analysis {
    let mut walker = Walker::new();
    walker.expression(expression);
    walker.finish()
}

pub(super) fn of_template(template: &Stmt<'_>) -> Analysis {
    let mut walker = Walker::new();
    walker.statement(template);
    walker.finish()
}

/// The chain, where the whole expression is one.
pub(super) fn is_chain(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Var(_) => true,
        Expr::GetAttr(get) => is_chain(&get.expr),
        Expr::GetItem(get) => is_chain(&get.expr),
        _ => false,
    }
}

enum Step<'e, 's> {
    Name(&'s str, usize),
    Item(&'e Expr<'s>, usize),
}

struct Walker<'s> {
    locals: Vec<HashSet<&'s str>>,
    guards: Vec<Vec<String>>,
    /// How many choices are around.
    choices: usize,
    analysis: Analysis,
}

impl<'s> Walker<'s> {
    fn new() -> Self {
        Self {
            locals: vec![HashSet::new()],
            guards: Vec::new(),
            choices: 0,
            analysis: Analysis::default(),
        }
    }

    /// A path that the expression itself asks about may be undefined everywhere in it.
    fn finish(mut self) -> Analysis {
        for chain in &mut self.analysis.chains {
            let guarded = |guard: &Vec<String>| chain.path.starts_with(guard);
            if chain.need == Need::Required && self.guards.iter().any(guarded) {
                chain.need = Need::Guarded;
            }
        }
        self.analysis
    }

    fn bind(&mut self, name: &'s str) {
        if let Some(locals) = self.locals.last_mut() {
            locals.insert(name);
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|locals| locals.contains(name))
    }

    fn expression(&mut self, expression: &Expr<'s>) {
        match expression {
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.chain(expression, false),
            Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                for part in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.expression(part);
                }
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                self.expression(&operation.left);
                let decides = matches!(operation.op, BinOpKind::ScAnd | BinOpKind::ScOr);
                self.choices += usize::from(decides);
                self.expression(&operation.right);
                self.choices -= usize::from(decides);
            }
            Expr::Compare(comparison) => {
                self.expression(&comparison.expr);
                for operand in &comparison.ops {
                    self.expression(&operand.expr);
                }
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.choices += 1;
                self.expression(&choice.true_expr);
                if let Some(otherwise) = &choice.false_expr {
                    self.expression(otherwise);
                }
                self.choices -= 1;
            }
            Expr::Filter(filter) => {
                self.known("filter", filter.name, FILTERS, expression);
                let optional = matches!(filter.name, "default" | "d");
                if let Some(operand) = &filter.expr {
                    self.operand(operand, optional);
                }
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.known("test", test.name, TESTS, expression);
                let optional = matches!(test.name, "defined" | "undefined");
                self.operand(&test.expr, optional);
                self.arguments(&test.args);
            }
            Expr::Call(call) => self.call(&call.expr, &call.args, expression),
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(map) => {
                map.keys.iter().chain(&map.values).for_each(|part| self.expression(part));
            }
        }
    }

    fn operand(&mut self, operand: &Expr<'s>, optional: bool) {
        if optional && is_chain(operand) {
            self.chain(operand, true);
        } else {
            self.expression(operand);
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'s>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.expression(value),
            }
        }
    }

    fn call(&mut self, callee: &Expr<'s>, arguments: &[CallArg<'s>], whole: &Expr<'s>) {
        self.arguments(arguments);
        match callee {
            Expr::Var(name) => {
                if name.id == FILE && !self.is_local(FILE) {
                    self.file(arguments, whole);
                } else if !self.is_local(name.id) {
                    self.known("function", name.id, FUNCTIONS, whole);
                }
            }
            Expr::GetAttr(method) => {
                let on_loop = matches!(&method.expr, Expr::Var(root) if root.id == "loop");
                if !(on_loop && self.is_local("loop")) {
                    self.fault(
                        Code::NoMethods,
                        format!("values have no methods such as `.{}()`", method.name),
                        instead_of_method(method.name).map(str::to_owned),
                        whole,
                    );
                }
                self.expression(&method.expr);
            }
            other => {
                let help = "leave the round brackets out; `~` joins texts".to_owned();
                self.fault(
                    Code::NotCallable,
                    "this cannot be called".to_owned(),
                    Some(help),
                    whole,
                );
                self.expression(other);
            }
        }
    }

    /// Which files are read is known before anything runs.
    fn file(&mut self, arguments: &[CallArg<'s>], whole: &Expr<'s>) {
        let path = match arguments {
            [CallArg::Pos(Expr::Const(path))] => path.value.as_str(),
            _ => None,
        };
        let span = whole.span();
        let range = offset(span.start_offset)..offset(span.end_offset);
        match path {
            Some(path) => self.analysis.files.push((path.to_owned(), range)),
            None => self.fault(
                Code::TemplateSyntax,
                "`file` takes one path, as text in quotes".to_owned(),
                Some(
                    "write `file('data.json')`: which files are read is known before anything runs"
                        .to_owned(),
                ),
                whole,
            ),
        }
    }

    fn known(&mut self, what: &str, name: &str, names: &[&str], place: &Expr<'s>) {
        if names.contains(&name) {
            return;
        }
        let similar = match (what, name) {
            ("filter", "to_json") => Some("tojson"),
            ("filter", "from_json") => Some("fromjson"),
            ("filter", "len" | "size") => Some("length"),
            ("filter", "strip") => Some("trim"),
            ("test", "startswith") => Some("startingwith"),
            ("test", "endswith") => Some("endingwith"),
            ("test", "null" | "nil") => Some("none"),
            _ => did_you_mean(name, names.iter().copied()),
        };
        let help = match similar {
            Some(similar) => format!("did you mean `{similar}`?"),
            None if what == "function" && instead_of_function(name).is_some() => {
                instead_of_function(name).unwrap_or_default()
            }
            None if (what, name) == ("test", "empty") => {
                "write `not …` or `… | length == 0`".to_owned()
            }
            None => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("there are {}", names.join(", "))
            }
        };
        let code = match what {
            "filter" => Code::UnknownFilter,
            "test" => Code::UnknownTest,
            _ => Code::UnknownFunction,
        };
        self.fault(code, format!("there is no {what} `{name}`"), Some(help), place);
    }

    fn fault(&mut self, code: Code, message: String, help: Option<String>, place: &Expr<'s>) {
        let span = place.span();
        let range = offset(span.start_offset)..offset(span.end_offset);
        self.analysis.faults.push(Fault { code, message, help, range });
    }

    fn chain(&mut self, outermost: &Expr<'s>, optional: bool) {
        let mut steps = Vec::new();
        let mut base = outermost;
        loop {
            let end = offset(base.span().end_offset);
            match base {
                Expr::GetAttr(get) => {
                    steps.push(Step::Name(get.name, end));
                    base = &get.expr;
                }
                Expr::GetItem(get) => {
                    steps.push(Step::Item(&get.subscript_expr, end));
                    self.expression(&get.subscript_expr);
                    base = &get.expr;
                }
                _ => break,
            }
        }
        let Expr::Var(root) = base else {
            self.expression(base);
            return;
        };
        if OPERATORS.contains(&root.id) {
            let message = format!("`{}` cannot stand here", root.id);
            let help = "put round brackets around the part before it".to_owned();
            self.fault(Code::TemplateSyntax, message, Some(help), base);
            return;
        }
        let span = base.span();
        let start = offset(span.start_offset);
        let mut path = vec![root.id.to_owned()];
        let mut ends = vec![offset(span.end_offset)];
        for step in steps.iter().rev() {
            let (name, end) = match step {
                Step::Name(name, end) => (Some((*name).to_owned()), *end),
                Step::Item(key, end) => (constant_key(key), *end),
            };
            let Some(name) = name else { break };
            path.push(name);
            ends.push(end);
        }
        let whole = start..offset(outermost.span().end_offset).max(start);
        if optional {
            self.guards.push(path.clone());
        }
        let chain = Chain {
            path,
            fixed: start..ends.last().copied().unwrap_or(start),
            ends,
            whole,
            need: if optional { Need::Optional } else { Need::Required },
            local: self.is_local(root.id),
            conditional: self.choices > 0,
        };
        self.analysis.chains.push(chain);
    }

    fn target(&mut self, target: &Expr<'s>) {
        match target {
            Expr::Var(name) => self.bind(name.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.target(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.target(item)),
            _ => {}
        }
    }

    fn body(&mut self, body: &[Stmt<'s>]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn inner(&mut self, body: &[Stmt<'s>]) {
        self.locals.push(HashSet::new());
        self.body(body);
        self.locals.pop();
    }

    fn statement(&mut self, statement: &Stmt<'s>) {
        match statement {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::ForLoop(repeat) => self.for_loop(repeat),
            // `if` and `set` share their names with what follows, as in the engine.
            Stmt::IfCond(choice) => {
                self.expression(&choice.expr);
                self.choices += 1;
                self.body(&choice.true_body);
                self.body(&choice.false_body);
                self.choices -= 1;
            }
            Stmt::WithBlock(with) => {
                self.locals.push(HashSet::new());
                for (target, value) in &with.assignments {
                    self.expression(value);
                    self.target(target);
                }
                self.body(&with.body);
                self.locals.pop();
            }
            Stmt::Set(set) => {
                self.expression(&set.expr);
                self.target(&set.target);
            }
            Stmt::SetBlock(set) => {
                if let Some(filter) = &set.filter {
                    self.expression(filter);
                }
                self.inner(&set.body);
                self.target(&set.target);
            }
            Stmt::AutoEscape(block) => {
                self.expression(&block.enabled);
                self.inner(&block.body);
            }
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter);
                self.inner(&block.body);
            }
            Stmt::Do(call) => self.arguments(&call.call.args),
            Stmt::EmitRaw(_) => {}
        }
    }

    fn for_loop(&mut self, repeat: &ForLoop<'s>) {
        self.expression(&repeat.iter);
        self.locals.push(HashSet::from(["loop"]));
        self.target(&repeat.target);
        self.choices += 1;
        if let Some(condition) = &repeat.filter_expr {
            self.expression(condition);
        }
        self.body(&repeat.body);
        self.locals.pop();
        self.inner(&repeat.else_body);
        self.choices -= 1;
    }
}

fn constant_key(key: &Expr<'_>) -> Option<String> {
    let Expr::Const(constant) = key else {
        return negative_index(key);
    };
    match constant.value.as_str() {
        Some(name) => Some(name.to_owned()),
        None => constant.value.as_i64().map(|index| index.to_string()),
    }
}

/// `items[-1]` is the last.
fn negative_index(key: &Expr<'_>) -> Option<String> {
    let Expr::UnaryOp(operation) = key else {
        return None;
    };
    let Expr::Const(constant) = &operation.expr else {
        return None;
    };
    let index = constant.value.as_i64().filter(|_| matches!(operation.op, UnaryOpKind::Neg))?;
    Some(format!("-{index}"))
}

fn offset(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// The path that an expression is, where all of it is fixed.
pub(super) fn fixed_path(expression: &Expr<'_>) -> Option<Vec<String>> {
    let (mut path, name) = match expression {
        Expr::Var(name) => (Vec::new(), name.id.to_owned()),
        Expr::GetAttr(get) => (fixed_path(&get.expr)?, get.name.to_owned()),
        Expr::GetItem(get) => (fixed_path(&get.expr)?, constant_key(&get.subscript_expr)?),
        _ => return None,
    };
    path.push(name);
    Some(path)
}
