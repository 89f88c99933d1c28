fn main() {
    let a: Vec<String> = std::env::args().collect();
    let seed = a[1].parse().unwrap();
    let s = zabsim::fuzz::swarm::draw(seed);
    print!("{}", s.written("drawn").unwrap());
}
