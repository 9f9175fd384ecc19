//! Which trials there are, and which of them are made.

use super::fault::Fault;
use super::injector::Point;
use super::trial::Trial;

/// Every fault at every point where it can happen, numbered; of these `sample`, chosen by `seed`, or all.
pub(super) fn trials(points: &[Point], sample: Option<usize>, seed: u64) -> Vec<Trial> {
    let mut all: Vec<Trial> = points
        .iter()
        .flat_map(|point| Fault::ALL.map(|fault| (point, fault)))
        .filter(|(point, fault)| fault.befalls(point))
        .zip(1..)
        .map(|((point, fault), number)| Trial {
            number,
            point: point.clone(),
            fault,
            seed: seed.wrapping_add(number as u64),
        })
        .collect();
    if let Some(sample) = sample {
        fastrand::Rng::with_seed(seed).shuffle(&mut all);
        all.truncate(sample);
        all.sort_by_key(|trial| trial.number);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<Point> {
        [(1, "GetCallerIdentity", false), (2, "CreateRole", true)]
            .map(|(index, operation, makes)| Point {
                index,
                service: "iam".to_owned(),
                operation: operation.to_owned(),
                occurrence: 1,
                makes,
            })
            .into()
    }

    #[test]
    fn everything_happens_to_every_request() {
        let all = trials(&points(), None, 7);
        // Nobody else can be somebody, and a look needs no other.
        assert_eq!(all.len(), Fault::ALL.len() * 2 - 11);
        let taken: Vec<_> = all.iter().filter(|trial| trial.fault == Fault::Taken).collect();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].title(), "2 iam CreateRole: name taken just before");
    }

    #[test]
    fn a_sample_is_the_same_for_the_same_seed() {
        let all = trials(&points(), None, 7);
        let sample = trials(&points(), Some(5), 7);
        assert_eq!(sample, trials(&points(), Some(5), 7));
        assert_eq!(sample.len(), 5);
        assert!(sample.iter().all(|trial| all.contains(trial)));
        let others = (0..20).any(|seed| {
            let numbers = |trials: &[Trial]| trials.iter().map(|it| it.number).collect::<Vec<_>>();
            numbers(&trials(&points(), Some(5), seed)) != numbers(&sample)
        });
        assert!(others);
        assert_eq!(trials(&points(), Some(1000), 7).len(), all.len());
    }
}
