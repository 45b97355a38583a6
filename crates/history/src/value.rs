use std::fmt::{Debug, Display};

/// What a record carries: no two sends share one, and it says where it comes from.
pub trait Value: Clone + Ord + Debug + Display {
    /// Names a producer.
    type Producer: Ord;

    /// Who sent it, and as the how manieth of his.
    fn source(&self) -> Option<(Self::Producer, u64)>;
}

/// `name:number`.
impl Value for String {
    type Producer = String;

    fn source(&self) -> Option<(String, u64)> {
        let (producer, number) = self.rsplit_once(':')?;
        Some((producer.to_owned(), number.parse().ok()?))
    }
}
