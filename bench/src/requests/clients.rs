use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use super::{call::Call, connection::Connection, site::Visitor};
use crate::outcome::Outcome;

/// The connections of clients to one application, one for each client.
pub(super) struct Clients {
    idle: Mutex<Vec<Connection>>,
}

impl Clients {
    pub(super) async fn open(address: SocketAddr, number: usize) -> Outcome<Self> {
        let mut idle = Vec::new();
        for _ in 0..number {
            idle.push(Connection::open(address).await?);
        }
        Ok(Self {
            idle: Mutex::new(idle),
        })
    }

    /// Asks as a visitor drawn by chance, and looks at the answer.
    pub(super) async fn call(&self, call: Call) -> Outcome {
        let asked = call.ask(&Visitor::draw()?)?;
        let mut connection = self.take()?;
        asked.check(&connection.send(&asked.request).await?)?;
        self.give_back(connection);
        Ok(())
    }

    /// The text of an answer.
    pub(super) async fn read(&self, call: Call, visitor: &Visitor) -> Outcome<String> {
        let asked = call.ask(visitor)?;
        let mut connection = self.take()?;
        let answer = connection.send(&asked.request).await?;
        asked.check(&answer)?;
        let body = answer.body.to_owned();
        self.give_back(connection);
        Ok(body)
    }

    fn take(&self) -> Outcome<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(idle.pop().ok_or("more clients than connections")?)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(connection);
    }
}
