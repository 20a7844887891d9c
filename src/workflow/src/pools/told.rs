//! What a log says of pools, by the site's numbers.

use crate::SpecimenRule;
use crate::specimens::Whose;
use ledger::{PoolMade, PoolMember};
use vocabulary::{Aspiration, ConnectionId, Consequence, DonationId, Finding, PoolId, Pooling, SpecimenId};

/// Members of one entry; a larger log comes in parts.
const MEMBERS_PER_PART: usize = 200;

/// Whose material went into which pool; what is no pool's or no donation's number is a finding and holds.
pub(crate) fn told(
    poolings: &[Pooling],
    (rule, connection): (&SpecimenRule, &ConnectionId),
    findings: &mut Vec<Finding>,
) -> Vec<PoolMade> {
    let mut made = Vec::new();
    for pooling in poolings {
        match pool_of(&pooling.pool, (rule, connection)) {
            Ok(pool) => {
                let member = |aspiration: &Aspiration| PoolMember {
                    donation: member_of(aspiration, pooling, (rule, connection), findings),
                    aspiration: aspiration.clone(),
                };
                let members = pooling.members.iter().map(member).collect();
                made.push(PoolMade { pool, run: pooling.run.clone(), size: pooling.size, members });
            }
            Err(why) => findings.extend(pooling.members.iter().map(|member| Finding {
                finding: "unknown_pool_id".to_owned(),
                place: member.record.clone(),
                what: format!("pool {:?}: {why}", pooling.pool.as_str()),
                consequence: Consequence::Hold,
                specimen: member.barcode.as_ref().map(ToString::to_string),
            })),
        }
    }
    in_pieces(made)
}

fn pool_of(scan: &SpecimenId, (rule, connection): (&SpecimenRule, &ConnectionId)) -> Result<PoolId, String> {
    match rule.whose(scan, connection) {
        Ok(Whose::Pool(pool)) => Ok(pool),
        Ok(Whose::Donation(located)) => Err(format!(
            "by the site's forms it is the donation {}; give pools a form of their own in [identifiers], with the \
             group `pool`",
            located.donation
        )),
        Err(why) => Err(format!("{}; say in [identifiers] what a pool's number looks like", why.what)),
    }
}

fn member_of(
    aspiration: &Aspiration,
    pooling: &Pooling,
    (rule, connection): (&SpecimenRule, &ConnectionId),
    findings: &mut Vec<Finding>,
) -> Option<DonationId> {
    let barcode = aspiration.barcode.as_ref()?;
    let (name, why) = match rule.whose(barcode, connection) {
        Ok(Whose::Donation(located)) => return Some(located.donation),
        Ok(Whose::Pool(pool)) => ("pool_in_pool", format!("it is the pool {pool}, not a donation")),
        Err(why) => (why.name, why.what),
    };
    findings.push(Finding {
        finding: name.to_owned(),
        place: aspiration.record.clone(),
        what: format!(
            "member {:?} of pool {}: {why}; find the tube, and make the pool again",
            barcode.as_str(),
            pooling.pool
        ),
        consequence: Consequence::Hold,
        specimen: Some(pooling.pool.to_string()),
    });
    None
}

/// Cut so that parts can be put together of whole pieces.
fn in_pieces(made: Vec<PoolMade>) -> Vec<PoolMade> {
    let mut pieces = Vec::new();
    let mut room = MEMBERS_PER_PART;
    for mut pool in made {
        while pool.members.len() > room {
            let rest = pool.members.split_off(room);
            let PoolMade { run, size, .. } = &pool;
            let next = PoolMade { pool: pool.pool.clone(), run: run.clone(), size: *size, members: rest };
            pieces.push(std::mem::replace(&mut pool, next));
            room = MEMBERS_PER_PART;
        }
        room -= pool.members.len();
        if room == 0 {
            room = MEMBERS_PER_PART;
        }
        pieces.push(pool);
    }
    pieces.retain(|piece| !piece.members.is_empty());
    pieces
}

/// Pieces by the parts that they come in.
pub(crate) fn parted(made: Vec<PoolMade>) -> Vec<Vec<PoolMade>> {
    let mut parts: Vec<Vec<PoolMade>> = Vec::new();
    let mut count = 0;
    for piece in made {
        count += piece.members.len();
        if let Some(part) = parts.last_mut().filter(|_| count <= MEMBERS_PER_PART) {
            part.push(piece);
        } else {
            count = piece.members.len();
            parts.push(vec![piece]);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(members: &[usize], parts: &[&[usize]]) {
        let aspiration = Aspiration {
            position: None,
            barcode: None,
            wrong: vec![],
            said: None,
            volume: None,
            at: None,
            record: "row 2".into(),
        };
        let made = members.iter().enumerate().map(|(at, count)| PoolMade {
            pool: PoolId::new(&format!("P{at}")).unwrap(),
            run: "R".into(),
            size: 6,
            members: vec![PoolMember { donation: None, aspiration: aspiration.clone() }; *count],
        });
        let found = parted(in_pieces(made.collect()));
        let counts: Vec<Vec<usize>> =
            found.iter().map(|part| part.iter().map(|piece| piece.members.len()).collect()).collect();
        assert_eq!(counts, parts, "{members:?}");
    }

    #[test]
    fn a_large_log_comes_in_parts_that_lose_no_member() {
        check(&[], &[]);
        check(&[6, 6], &[&[6, 6]]);
        check(&[200, 1], &[&[200], &[1]]);
        check(&[199, 6], &[&[199, 1], &[5]]);
        check(&[450], &[&[200], &[200], &[50]]);
        check(&[100, 100, 3], &[&[100, 100], &[3]]);
    }
}
