//! Against the PostgreSQL of this machine.

#[cfg(test)]
mod binaries;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod parent;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod root;
#[cfg(test)]
mod support;
#[cfg(test)]
mod temporary;
#[cfg(test)]
mod twice;
