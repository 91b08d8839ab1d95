//! What a store should ask for, and of whom; and taking it up.

use std::collections::HashMap;

use chrono::NaiveDate;
use kernel::{
    answers::{Answered, Asked, once},
    auth::Scope,
    call::Cx,
    idempotency::IdempotencyKey,
    ids::{ProductId, StoreId},
    page::Limit,
    problem::FieldError,
    text::Text,
};
use store_api::StoreLevel;

use super::{
    replenishment::{Opening, open},
    supply::{SoldBy, Supply, Window, asked},
};
use crate::{
    Inventory,
    domain::{
        reorder::{Need, Position, Shortage},
        replenishment::RequestStatus,
        supply::{Choice, Supplier, choose},
    },
    dto::{
        AcceptSuggestions, Figures, RequestLine, RequestView, SuggestedSource, SuggestionReason,
        SuggestionView,
    },
    error::Error,
    repo::{
        reorder_rules::{self, ScannedRule},
        replenishment::{NewLine, lock_all},
    },
};

/// Rules that are looked at for one page.
const SCAN: i64 = 500;
/// How far back sales tell how fast things sell, unless told.
pub(crate) const DEFAULT_DAYS: i64 = 28;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) store_id: StoreId,
    pub(crate) after: Option<ProductId>,
    pub(crate) limit: Limit,
    pub(crate) days: i64,
    /// The last business day whose sales count; yesterday unless told.
    pub(crate) to: Option<NaiveDate>,
}

/// A page of suggestions, and the product after which the next one goes on.
pub(crate) type Suggestions = (Vec<SuggestionView>, Option<ProductId>);

/// A rule whose store has too little.
struct Short {
    rule: ScannedRule,
    position: Position,
    sold: i64,
    need: Need,
}

impl Inventory {
    /// What the store should ask for, by product.
    pub(crate) async fn suggestions(&self, cx: &Cx, look: Look) -> Result<Suggestions, Error> {
        let store = look.store_id;
        let stores = self.stores(cx, [store]).await?;
        let profile = stores.0.get(&store).ok_or(Error::NotFound("store"))?;
        let today = profile.business_date(kernel::time::now());
        let to = look.to.or(today.pred_opt()).unwrap_or(today);
        let window = Window::ending(to, look.days);
        let rules = self
            .db
            .run(move |conn| {
                reorder_rules::scan(conn, store, look.after, SCAN).map_err(Error::from)
            })
            .await?;
        let mut next = rules
            .last()
            .filter(|_| i64::try_from(rules.len()).is_ok_and(|n| n == SCAN))
            .map(|rule| rule.known.product_id);
        let mut short = self.short(cx, store, rules, window).await?;
        let limit = usize::try_from(look.limit.get()).unwrap_or(usize::MAX);
        if short.len() > limit {
            short.truncate(limit);
            next = short.last().map(|s| s.rule.known.product_id);
        }
        if short.is_empty() {
            return Ok((Vec::new(), next));
        }
        let products: Vec<ProductId> = short.iter().map(|s| s.rule.known.product_id).collect();
        let supply = self.supply(cx, products.clone(), window).await?;
        let asked = self
            .db
            .run(move |conn| asked(conn, &products, None))
            .await?;
        let view = |short| suggestion(short, &supply, &asked, window);
        Ok((short.into_iter().map(view).collect(), next))
    }

    /// Those of the rules whose store has too little, or will have.
    async fn short(
        &self,
        cx: &Cx,
        store: StoreId,
        rules: Vec<ScannedRule>,
        window: Window,
    ) -> Result<Vec<Short>, Error> {
        let products: Vec<ProductId> = rules.iter().map(|r| r.known.product_id).collect();
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let here = Scope::Only(vec![store]);
        let levels = self.needs.levels.levels(cx, here, products.clone()).await?;
        let levels: HashMap<ProductId, StoreLevel> =
            levels.into_iter().map(|l| (l.product_id, l)).collect();
        let sold = self.sold(cx, vec![store], products, window).await?;
        let short = rules.into_iter().filter(|rule| !rule.archived);
        let short = short.filter_map(|rule| {
            let product = rule.known.product_id;
            let level = levels.get(&product);
            let position = Position {
                on_hand: level.map_or(0, |l| l.on_hand),
                reserved: level.map_or(0, |l| l.reserved),
                incoming: level.map_or(0, |l| l.incoming),
                ordered: rule.ordered,
            };
            let sold = sold.get(&(store, product)).copied().unwrap_or(0);
            let need = rule.known.rule().need(position, window.pace(sold))?;
            Some(Short {
                rule,
                position,
                sold,
                need,
            })
        });
        Ok(short.collect())
    }

    /// Makes the draft of a request. What is asked of a source it can do without, whoever else is
    /// asking at the same time.
    pub(crate) async fn accept_suggestions(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: AcceptSuggestions,
    ) -> Result<Answered<RequestView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let (request, stored) = self.stored(request).await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        let accepted = body.suggestions.iter().map(|s| RequestLine {
            product_id: s.product_id,
            quantity: s.quantity,
            source_store_id: s.source_store_id,
        });
        let lines: Vec<RequestLine> = accepted.collect();
        self.check(cx, body.store_id, &lines, "suggestions").await?;
        let products: Vec<ProductId> = lines.iter().map(|line| line.product_id).collect();
        let window = self.window(cx, body.store_id).await?;
        let supply = self.supply(cx, products.clone(), window).await?;
        let line =
            |line: &RequestLine| (line.product_id, line.quantity.get(), line.source_store_id);
        let opening = Opening {
            id: request.id,
            store_id: body.store_id,
            status: RequestStatus::Draft,
            lines: lines.iter().map(line).collect(),
            note: body.note.map(Text::into_string),
            needed_by: body.needed_by.map(|day| day.0),
        };
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    lock_all(conn)?;
                    let asked = asked(conn, &products, None)?;
                    let outdated = outdated(&opening.lines, opening.store_id, &supply, &asked);
                    if !outdated.is_empty() {
                        return Err(Error::SuggestionOutdated(outdated));
                    }
                    open(conn, &cx, &opening)
                })
            })
            .await
    }

    /// The days up to yesterday whose sales tell how fast things sell.
    pub(crate) async fn window(&self, cx: &Cx, store: StoreId) -> Result<Window, Error> {
        let stores = self.stores(cx, [store]).await?;
        let today = stores.open(store)?.business_date(kernel::time::now());
        Ok(Window::ending(
            today.pred_opt().unwrap_or(today),
            DEFAULT_DAYS,
        ))
    }
}

/// The lines of which their source can do without less.
fn outdated(lines: &[NewLine], store: StoreId, supply: &Supply, asked: &SoldBy) -> Vec<FieldError> {
    let error = |(place, (product, quantity, source)): (usize, &NewLine)| {
        let source = (*source)?;
        let suppliers = supply.suppliers(*product, store, asked);
        let supplier = suppliers.iter().find(|s| s.store_id == source);
        let free = supplier.map_or(0, Supplier::surplus);
        (*quantity > free).then(|| {
            let detail = format!("{free} is the most that this store can do without.");
            FieldError::new(
                format!("/suggestions/{place}/quantity"),
                "suggestion-outdated",
                detail,
            )
            .with("available", free)
        })
    };
    lines.iter().enumerate().filter_map(error).collect()
}

fn suggestion(short: Short, supply: &Supply, asked: &SoldBy, window: Window) -> SuggestionView {
    let Short {
        rule:
            ScannedRule {
                known: row,
                sku,
                name,
                unit,
                ..
            },
        position,
        sold,
        need,
    } = short;
    let rule = row.rule();
    let suppliers = supply.suppliers(row.product_id, row.store_id, asked);
    let choice = choose(
        need.quantity,
        rule.multiple,
        rule.source_store_id,
        &suppliers,
    );
    let source = choice.and_then(|choice| {
        let profile = supply.stores.0.get(&choice.store_id)?;
        Some(SuggestedSource {
            store_id: choice.store_id,
            code: profile.code.clone(),
            name: profile.name.clone(),
            reason: choice.reason,
        })
    });
    SuggestionView {
        store_id: row.store_id,
        product_id: row.product_id,
        sku,
        name,
        unit,
        quantity: choice.map_or(need.quantity, |c| c.quantity),
        needed: need.quantity,
        source,
        reasons: reasons(&need, rule.max.is_some(), choice),
        figures: Figures {
            on_hand: position.on_hand,
            reserved: position.reserved,
            incoming: position.incoming,
            ordered: position.ordered,
            projected: need.projected,
            target: need.target,
            min: rule.min,
            max: rule.max,
            multiple: rule.multiple,
            lead_days: rule.lead_days,
            cover_days: rule.cover_days,
            sold,
            sold_from: window.from,
            sold_to: window.to,
            velocity: window.pace(sold).per_day(),
        },
    }
}

fn reasons(need: &Need, has_max: bool, choice: Option<Choice>) -> Vec<SuggestionReason> {
    let mut reasons = vec![
        match need.shortage {
            Shortage::Now => SuggestionReason::BelowMin,
            Shortage::WithinLeadTime => SuggestionReason::BelowMinWithinLeadTime,
        },
        if has_max {
            SuggestionReason::ToMax
        } else {
            SuggestionReason::ToCover
        },
    ];
    match choice {
        None => reasons.push(SuggestionReason::NoSource),
        Some(choice) if choice.quantity < need.quantity => {
            reasons.push(SuggestionReason::LessThanNeeded);
        }
        Some(_) => {}
    }
    reasons
}
