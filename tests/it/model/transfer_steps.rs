//! What is done to a transfer, from its request to its end.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    deed::{Call, Deed, Expected},
    state::{Item, Level, Model, SHOPS},
    transfer_plans::Action,
    transfers::{Line, MALFORMED, PATH, Transfer, are_distinct, quantities},
    world::World,
};

impl Model {
    /// How much of a line an action can be about.
    pub fn limit(&self, transfer: usize, action: Action, item: Item, line: &Line) -> i64 {
        match action {
            Action::Approve => line.requested,
            Action::Dispatch => line.approved,
            Action::Return => line.received - self.going_back(transfer, item),
            _ => line.in_transit(),
        }
    }

    /// What other transfers bring back of one, or have asked to.
    fn going_back(&self, transfer: usize, item: Item) -> i64 {
        let back = self
            .transfers
            .iter()
            .filter(|t| t.return_of == Some(transfer));
        let back = back.filter_map(|t| Some((t.status, t.lines.get(&item)?)));
        back.map(|(status, line)| match status {
            "cancelled" | "rejected" => 0,
            "draft" | "requested" => line.requested,
            "approved" => line.approved,
            _ => line.sent,
        })
        .sum()
    }
}

/// Something that is done to a transfer.
#[derive(Debug, Clone)]
pub struct Step {
    pub transfer: usize,
    pub action: Action,
    pub whole: bool,
    /// Whole, broken and lost; or, where only one number is asked for, their sum.
    pub parts: Vec<(Item, [i64; 3])>,
    pub write_off: bool,
}

impl Step {
    fn picks(&self) -> Vec<(Item, i64)> {
        let picks = self
            .parts
            .iter()
            .map(|(item, parts)| (*item, parts.iter().sum()));
        picks.collect()
    }

    /// What is picked of the transfer, each at most once and within its limit.
    fn chosen(
        &self,
        model: &Model,
        picks: &[(Item, i64)],
        code: &'static str,
    ) -> Result<(), Expected> {
        let transfer = &model.transfers[self.transfer];
        if !are_distinct(picks.iter().map(|(item, _)| *item)) {
            return Err(MALFORMED);
        }
        let mut too_much = false;
        for (item, quantity) in picks {
            let line = transfer.lines.get(item).ok_or(MALFORMED)?;
            too_much |= *quantity > model.limit(self.transfer, self.action, *item, line);
        }
        if too_much {
            return Err(Expected::Refused(409, code));
        }
        if picks.iter().all(|(_, quantity)| *quantity == 0) {
            return Err(MALFORMED);
        }
        Ok(())
    }

    /// The picks, or all that is possible.
    fn picks_of(&self, model: &Model, code: &'static str) -> Result<Vec<(Item, i64)>, Expected> {
        let lines = model.transfers[self.transfer].lines.iter();
        let all =
            lines.map(|(item, line)| (*item, model.limit(self.transfer, self.action, *item, line)));
        let picks = if self.whole {
            all.collect()
        } else {
            self.picks()
        };
        self.chosen(model, &picks, code)?;
        Ok(picks)
    }

    fn approve(&self, model: &mut Model) -> Result<&'static str, Expected> {
        let picks = self.picks_of(model, "more-than-requested")?;
        let from = model.transfers[self.transfer].from;
        let free = |level: Level| (level.on_hand - level.reserved).max(0);
        let short = |(item, quantity): &(Item, i64)| free(model.level((from, *item))) < *quantity;
        if !SHOPS[from].sells_below_zero && picks.iter().any(short) {
            return Err(Expected::Refused(409, "insufficient-stock"));
        }
        for (item, quantity) in picks {
            model.transfers[self.transfer]
                .lines
                .get_mut(&item)
                .unwrap()
                .approved = quantity;
            model.level_mut((from, item)).reserved += quantity;
        }
        Ok("approved")
    }

    fn dispatch(&self, model: &mut Model) -> Result<&'static str, Expected> {
        let picks = self.picks_of(model, "more-than-approved")?;
        let Transfer { from, to, .. } = model.transfers[self.transfer];
        if picks
            .iter()
            .any(|(item, quantity)| !model.can_take((from, *item), *quantity))
        {
            return Err(Expected::Refused(409, "insufficient-stock"));
        }
        for (item, quantity) in picks {
            model.transfers[self.transfer]
                .lines
                .get_mut(&item)
                .unwrap()
                .sent = quantity;
            model.moves((from, item), -quantity, 0);
            model.level_mut((to, item)).incoming += quantity;
        }
        self.release(model);
        Ok("in_transit")
    }

    /// Nothing is promised any more.
    fn release(&self, model: &mut Model) {
        let Transfer { from, lines, .. } = model.transfers[self.transfer].clone();
        for (item, line) in lines {
            model.level_mut((from, item)).reserved -= line.approved;
        }
    }

    fn receive(&self, model: &mut Model) -> Result<&'static str, Expected> {
        let sums = self.picks();
        if sums.iter().any(|(_, sum)| *sum == 0) {
            return Err(MALFORMED);
        }
        self.chosen(model, &sums, "more-than-in-transit")?;
        for (item, [received, damaged, lost]) in &self.parts {
            self.arrive(model, *item, [*received, *damaged, *lost]);
        }
        let mut lines = model.transfers[self.transfer].lines.values();
        let whole = lines.all(|line| line.in_transit() == 0);
        Ok(if whole {
            "received"
        } else {
            "partially_received"
        })
    }

    fn arrive(&self, model: &mut Model, item: Item, [received, damaged, lost]: [i64; 3]) {
        let transfer = &mut model.transfers[self.transfer];
        let line = transfer.lines.get_mut(&item).unwrap();
        line.received += received;
        line.damaged += damaged;
        line.lost += lost;
        let key = (transfer.to, item);
        model.moves(key, received, damaged);
        model.level_mut(key).incoming -= received + damaged + lost;
    }

    fn close(&self, model: &mut Model) -> Result<&'static str, Expected> {
        let missing = model.transfers[self.transfer].lines.clone();
        if !self.write_off && missing.values().any(|line| line.in_transit() > 0) {
            return Err(Expected::Refused(409, "goods-in-transit"));
        }
        for (item, line) in missing {
            self.arrive(model, item, [0, 0, line.in_transit()]);
        }
        Ok("closed")
    }

    fn cancel(&self, model: &mut Model) -> &'static str {
        if model.transfers[self.transfer].status == "approved" && !model.mistaken {
            self.release(model);
        }
        "cancelled"
    }

    /// Goods go the way back as a transfer of their own.
    fn send_back(&self, model: &mut Model) -> Expected {
        let picks = self.picks();
        let positive = picks.iter().all(|(_, quantity)| *quantity > 0);
        if picks.is_empty() || !positive || !are_distinct(picks.iter().map(|(item, _)| *item)) {
            return MALFORMED;
        }
        if !self
            .action
            .is_allowed(model.transfers[self.transfer].status)
        {
            return Expected::Refused(409, "transfer-status");
        }
        if let Err(refused) = self.chosen(model, &picks, "more-than-received") {
            return refused;
        }
        let Transfer { from, to, .. } = model.transfers[self.transfer];
        let back = Transfer::of(to, from, "requested", &picks);
        model.transfers.push(Transfer {
            return_of: Some(self.transfer),
            ..back
        });
        Expected::Done(201, vec![("/status".into(), "requested".into())])
    }
}

impl Deed for Step {
    fn call(&self, world: &World, model: &Model) -> Call {
        let path = format!(
            "{PATH}/{}/{}",
            model.transfers[self.transfer].id,
            self.action.verb()
        );
        let picks = || quantities(world, &self.picks());
        let part = |(item, [received, damaged, lost]): &(Item, [i64; 3])| {
            let product = world.item(*item);
            json!({"product_id": product, "received": received, "damaged": damaged, "lost": lost})
        };
        let body = match self.action {
            Action::Request => {
                let body = None;
                let method = Method::POST;
                return Call { method, path, body };
            }
            Action::Approve | Action::Dispatch if self.whole => json!({}),
            Action::Approve | Action::Dispatch => json!({"lines": picks()}),
            Action::Receive => {
                let parts: Vec<Value> = self.parts.iter().map(part).collect();
                json!({"lines": parts, "note": "wet"})
            }
            Action::Close => json!({"write_off": self.write_off, "reason": "all is said"}),
            Action::Cancel | Action::Reject => json!({"reason": "not needed"}),
            Action::Return => json!({"lines": picks(), "reason": "too many"}),
        };
        Call::post(path, body)
    }

    fn apply(&self, model: &mut Model) -> Expected {
        if self.action == Action::Return {
            return self.send_back(model);
        }
        if !self
            .action
            .is_allowed(model.transfers[self.transfer].status)
        {
            return Expected::Refused(409, "transfer-status");
        }
        let status = match self.action {
            Action::Request => Ok("requested"),
            Action::Approve => self.approve(model),
            Action::Dispatch => self.dispatch(model),
            Action::Receive => self.receive(model),
            Action::Close => self.close(model),
            Action::Cancel => Ok(self.cancel(model)),
            Action::Reject => Ok("rejected"),
            Action::Return => return MALFORMED,
        };
        match status {
            Ok(status) => {
                model.transfers[self.transfer].status = status;
                Expected::Done(200, vec![("/status".into(), status.into())])
            }
            Err(refused) => refused,
        }
    }

    fn made(&self, model: &mut Model, answer: &Value) {
        if self.action == Action::Return {
            model.transfers.last_mut().unwrap().id =
                answer["id"].as_str().unwrap().parse().unwrap();
        }
    }
}
