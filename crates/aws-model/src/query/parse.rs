//! Expressions, from their text.

use serde_json::Value;

/// How deep expressions may stand in each other.
const DEEPEST: usize = 64;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// The value itself.
    Current,
    /// Always this.
    Literal(Value),
    /// A member.
    Member(String),
    /// An item of a list, from its end where it is negative.
    Index(i64),
    /// The second in what the first finds.
    Then(Box<Expression>, Box<Expression>),
    /// The second in each of what the first finds.
    Each(Box<Expression>, Box<Expression>),
    /// What is in a list, with lists in it opened.
    Flatten(Box<Expression>),
    /// The values of a map.
    Values(Box<Expression>),
    /// The items of a list.
    Items(Box<Expression>),
    /// The items of a list for which the second holds.
    Filter(Box<Expression>, Box<Expression>),
    /// Several things as a list.
    List(Vec<Expression>),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Compare(Box<Expression>, Comparison, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Keys,
    Contains,
}

type Parsed<T> = Result<T, (usize, String)>;

/// The expression that a text is; otherwise where it ceases to be one, and why.
pub(super) fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.pipe()?;
    parser.space();
    if parser.at == text.len() { Ok(expression) } else { parser.fail("something is left over") }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

fn boxed(expression: Expression) -> Box<Expression> {
    Box::new(expression)
}

impl<'t> Parser<'t> {
    fn fail<T>(&self, what: &str) -> Parsed<T> {
        Err((self.at, what.to_owned()))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.take(token) { Ok(()) } else { self.fail(&format!("expected `{token}`")) }
    }

    fn pipe(&mut self) -> Parsed<Expression> {
        let mut left = self.or()?;
        while !self.rest().trim_start().starts_with("||") && self.take("|") {
            left = Expression::Then(boxed(left), boxed(self.or()?));
        }
        Ok(left)
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Expression::Or(boxed(left), boxed(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.comparison()?;
        while self.take("&&") {
            left = Expression::And(boxed(left), boxed(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let left = self.chain()?;
        for (token, comparison) in [
            ("==", Equal),
            ("!=", NotEqual),
            ("<=", LessOrEqual),
            (">=", GreaterOrEqual),
            ("<", Less),
            (">", Greater),
        ] {
            if self.take(token) {
                return Ok(Expression::Compare(boxed(left), comparison, boxed(self.chain()?)));
            }
        }
        Ok(left)
    }

    /// A thing, and what is looked for in it.
    fn chain(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail("expressions stand too deep in each other");
        }
        let start = self.start()?;
        let chain = self.links(start)?;
        self.depth -= 1;
        Ok(chain)
    }

    fn start(&mut self) -> Parsed<Expression> {
        self.space();
        match self.rest().chars().next() {
            Some('!') => {
                self.at += 1;
                // Only what follows directly is negated, not what it is compared with.
                Ok(Expression::Not(boxed(self.chain()?)))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.pipe()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some('@') => {
                self.at += 1;
                Ok(Expression::Current)
            }
            Some('`') => self.literal(),
            Some('\'') => self.raw(),
            Some('[' | '*') => Ok(Expression::Current),
            _ => self.named(),
        }
    }

    /// What stands behind a thing, as long as something does.
    fn links(&mut self, mut left: Expression) -> Parsed<Expression> {
        let first = left == Expression::Current;
        if first && self.rest().starts_with('*') {
            self.at += 1;
            return self.project(Expression::Values(boxed(left)));
        }
        loop {
            if self.take("[]") {
                return self.project(Expression::Flatten(boxed(left)));
            }
            if self.take("[*]") {
                return self.project(Expression::Items(boxed(left)));
            }
            if self.take("[?") {
                let condition = self.pipe()?;
                self.expect("]")?;
                return self.project(Expression::Filter(boxed(left), boxed(condition)));
            }
            if self.take("[") {
                left = Expression::Then(boxed(left), boxed(self.bracket()?));
            } else if self.take(".*") {
                return self.project(Expression::Values(boxed(left)));
            } else if self.take(".[") {
                left = Expression::Then(boxed(left), boxed(self.list()?));
            } else if self.take(".") {
                left = Expression::Then(boxed(left), boxed(self.named()?));
            } else {
                return Ok(left);
            }
        }
    }

    /// What stands behind several things is looked for in each of them, up to the next flattening, which is over all.
    fn project(&mut self, several: Expression) -> Parsed<Expression> {
        let mut inner = Expression::Current;
        loop {
            if self.rest().starts_with("[]") {
                break;
            }
            if self.take("[*]") {
                inner = self.project(Expression::Items(boxed(inner)))?;
                break;
            }
            if self.take("[?") {
                let condition = self.pipe()?;
                self.expect("]")?;
                inner = self.project(Expression::Filter(boxed(inner), boxed(condition)))?;
                break;
            }
            if self.take(".*") {
                inner = self.project(Expression::Values(boxed(inner)))?;
                break;
            }
            if self.take(".[") {
                inner = Expression::Then(boxed(inner), boxed(self.list()?));
            } else if self.take(".") {
                inner = Expression::Then(boxed(inner), boxed(self.named()?));
            } else if self.take("[") {
                inner = Expression::Then(boxed(inner), boxed(self.bracket()?));
            } else {
                break;
            }
        }
        let projected = Expression::Each(boxed(several), boxed(inner));
        if self.take("[]") {
            self.project(Expression::Flatten(boxed(projected)))
        } else {
            Ok(projected)
        }
    }

    /// Behind `[`: a number, or several expressions.
    fn bracket(&mut self) -> Parsed<Expression> {
        let digits =
            self.rest().find(|letter: char| !letter.is_ascii_digit() && letter != '-').unwrap_or(0);
        match self.rest()[..digits].parse() {
            Ok(index) => {
                self.at += digits;
                self.expect("]")?;
                Ok(Expression::Index(index))
            }
            Err(_) => self.list(),
        }
    }

    fn list(&mut self) -> Parsed<Expression> {
        let mut items = vec![self.pipe()?];
        while self.take(",") {
            items.push(self.pipe()?);
        }
        self.expect("]")?;
        Ok(Expression::List(items))
    }

    /// A member, or a function.
    fn named(&mut self) -> Parsed<Expression> {
        self.space();
        if self.rest().starts_with('"') {
            let end = self.rest()[1..].find('"').map(|end| end + 2);
            let Some(name) = end.and_then(|end| serde_json::from_str(&self.rest()[..end]).ok())
            else {
                return self.fail("a quoted name does not end");
            };
            self.at += end.unwrap_or_default();
            return Ok(Expression::Member(name));
        }
        let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let end = self.rest().find(|letter| !word(letter)).unwrap_or(self.rest().len());
        if end == 0 || self.rest().starts_with(|letter: char| letter.is_ascii_digit()) {
            return self.fail("expected a name");
        }
        let name = self.rest()[..end].to_owned();
        self.at += end;
        if !self.rest().starts_with('(') {
            return Ok(Expression::Member(name));
        }
        let (function, count) = match name.as_str() {
            "length" => (Function::Length, 1),
            "keys" => (Function::Keys, 1),
            "contains" => (Function::Contains, 2),
            _ => return self.fail("there is no such function"),
        };
        self.at += 1;
        let mut arguments = vec![self.pipe()?];
        while self.take(",") {
            arguments.push(self.pipe()?);
        }
        self.expect(")")?;
        if arguments.len() == count {
            Ok(Expression::Call(function, arguments))
        } else {
            self.fail("a function takes another number of things")
        }
    }

    fn literal(&mut self) -> Parsed<Expression> {
        let Some(end) = self.rest()[1..].find('`') else {
            return self.fail("a literal does not end");
        };
        let Ok(value) = serde_json::from_str(&self.rest()[1..=end]) else {
            return self.fail("a literal is no JSON");
        };
        self.at += end + 2;
        Ok(Expression::Literal(value))
    }

    fn raw(&mut self) -> Parsed<Expression> {
        let Some(end) = self.rest()[1..].find('\'') else {
            return self.fail("a text does not end");
        };
        let text = self.rest()[1..=end].to_owned();
        self.at += end + 2;
        Ok(Expression::Literal(Value::String(text)))
    }
}
