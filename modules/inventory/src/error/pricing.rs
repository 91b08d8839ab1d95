//! Why prices, taxes and promotions are refused, and what each caller is told.

use actix_web::http::StatusCode;
use kernel::{
    money::Currency,
    problem::{FieldError, Problem},
};

/// Why a price, a tax rate or a promotion was not made, or did not end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PricingError {
    /// A tax class that was named is not there.
    #[error("There is no such tax class.")]
    UnknownTaxClass,
    /// Another tax class has the code.
    #[error("There is a tax class of this code.")]
    TaxClassTaken,
    /// A rate of the region and class begins at the same moment.
    #[error("A rate of this region and tax class begins at this moment already.")]
    TaxRateTaken,
    /// The rate has begun, so that it is history.
    #[error("The rate has begun, or was withdrawn: make one that begins later.")]
    TaxRateBegun,
    /// A price at the same place begins at the same moment.
    #[error(
        "A price of this product begins there at this moment already: end it, or choose another \
         moment."
    )]
    PriceTaken,
    /// Something is over, and cannot end again.
    #[error("The {0} is over already, or was withdrawn.")]
    Over(&'static str),
    /// Something ends earlier than it was to end.
    #[error("The {0} ends earlier already: an end is only ever brought forward.")]
    EndsEarlier(&'static str),
    /// A product that was named is not there.
    #[error("There is no such product.")]
    UnknownProduct,
    /// An amount is not in the store's currency.
    #[error("The store {code} sells in {currency} only.")]
    CurrencyMismatch {
        /// Where the amount stands.
        pointer: &'static str,
        /// The store's code.
        code: String,
        /// What it sells in.
        currency: Currency,
    },
}

impl PricingError {
    /// What a constraint of the database refuses.
    pub(super) fn of_constraint(name: &str) -> Option<Self> {
        Some(match name {
            "products_tax_class_fkey" | "tax_rates_tax_class_fkey" => Self::UnknownTaxClass,
            "tax_classes_code_key" => Self::TaxClassTaken,
            "tax_rates_start" => Self::TaxRateTaken,
            "prices_start" => Self::PriceTaken,
            _ => return None,
        })
    }
}

impl From<&PricingError> for Problem {
    fn from(error: &PricingError) -> Self {
        use PricingError as E;
        let at = |status, pointer: &str, code| {
            let fault = FieldError::new(pointer, code, error);
            Self::new(status, code, error).with_errors(vec![fault])
        };
        let unknown = |pointer, code| at(StatusCode::BAD_REQUEST, pointer, code);
        match error {
            E::UnknownTaxClass => unknown("/tax_class", "unknown-tax-class"),
            E::UnknownProduct => unknown("/product_id", "unknown-product"),
            E::TaxClassTaken => Self::conflict("tax-class-taken", error),
            E::TaxRateTaken => Self::conflict("tax-rate-taken", error),
            E::TaxRateBegun => Self::conflict("tax-rate-begun", error),
            E::PriceTaken => Self::conflict("price-taken", error),
            E::Over(_) => Self::conflict("over", error),
            E::EndsEarlier(_) => Self::conflict("ends-earlier", error),
            E::CurrencyMismatch { pointer, .. } => {
                at(StatusCode::CONFLICT, pointer, "currency-mismatch")
            }
        }
    }
}
