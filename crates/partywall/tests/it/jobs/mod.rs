//! Jobs: D38, D39, and what happens to them when workers, tenants and accounts go.

mod attacks;
mod carried;
mod each_tenant;
mod ended;
mod fate;
mod lost;
mod retries;
mod turns;
mod yard;
